import Packet

/// Copies of a path's ACKs that leave by the session's fastest path.
///
/// A copy reports a loss one way of the fast path after it is evident, so that a repair takes the fast path's
/// round trip, and a congested uplink delays no other path's reports. (The wire lets an ACK take any path, as
/// does draft-ietf-quic-multipath, section 3.2.) The ACK on the path itself still leaves: it alone shows the
/// path's round trip.
///
/// A copy adds 71 bytes to a datagram that is due on the fast path, or 153 bytes on the wire in one of its own.
/// What arrives on the slow path pays for it: at most a byte of copies for 64 bytes, which is 97 kB/s on a full
/// path of 50 Mbit/s. That path, with an ACK for each 32 datagrams, needs 10 to 20 kB/s.
struct AckCopies {
    /// Bytes on the wire of a copy in a datagram of its own: 71 of the frame, 40 of header and tag, 42 below.
    private static let size: Int64 = 153
    /// Bytes of data that pay for a byte of copies.
    private static let share: Int64 = 64
    /// The most bytes of copies at once: 26 reports of losses, twice that in all.
    private static let largestCredit: Int64 = 8 * 1024
    /// A copy that arrives less than this ahead of the ACK on the path itself is not worth its bytes.
    private static let leastLead = Interval.milliseconds(5)

    /// Whether ACKs of the path are copied at present.
    private(set) var isOn = false
    /// Whether the next datagram on the fastest path carries a copy.
    var isOwed = false

    private var credit = Self.largestCredit
    /// Bytes that had arrived on the path when the credit was last raised.
    private var paidFor: UInt64 = 0

    /// Decides whether ACKs are copied, by how much earlier than on the path itself they would arrive. Once
    /// begun, copying goes on at half the lead, so that jitter does not start and stop it.
    mutating func weigh(lead: Interval) {
        isOn = lead >= (isOn ? Self.leastLead / 2 : Self.leastLead)
    }

    /// Stops copying: there is no faster path.
    mutating func stop() { (isOn, isOwed) = (false, false) }

    /// Takes a copy from the credit.
    /// - Parameters:
    ///   - received: bytes that have arrived on the path.
    ///   - isUrgent: whether the ACK reports missing datagrams; half of the credit is reserved for such ACKs.
    /// - Returns: whether the credit suffices.
    mutating func take(received: UInt64, isUrgent: Bool) -> Bool {
        let earned = Int64(clamping: received &- paidFor) / Self.share
        credit = min(credit + min(earned, Self.largestCredit), Self.largestCredit)
        paidFor = received
        guard credit >= (isUrgent ? Self.size : Self.largestCredit / 2) else { return false }
        credit -= Self.size
        return true
    }
}

/// ACKs of a path that arrived by another path, ahead of those on the path itself.
struct EarlyReports {
    /// How long a peer that has copied ACKs counts as one that does.
    private static let memory = Interval.seconds(10)

    /// The highest packet number that such an ACK was the first to acknowledge.
    private var highest: UInt64 = 0
    /// When one last brought news.
    private var newsAt: Instant?

    /// Records an ACK by another path that brought news.
    mutating func note(_ highest: UInt64, now: Instant) {
        self.highest = max(self.highest, highest)
        newsAt = now
    }

    /// Whether the ACK of `number` on the path itself brings no news because another path was faster.
    func precede(_ number: UInt64) -> Bool { newsAt != nil && number <= highest }

    /// Whether losses on the path are reported by a faster one.
    func areUsual(now: Instant) -> Bool { newsAt.map { now - $0 < Self.memory } ?? false }
}
