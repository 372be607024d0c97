import Packet

/// What arrived on one path, and when the next ACK frame is due.
public struct ReceivedPackets: Sendable {
    /// An ACK at the latest after this many packets.
    public static let packetsPerAck = 32

    /// Which packet numbers arrived; nil before the first.
    public private(set) var map: AckMap?
    /// When the highest of them arrived.
    public private(set) var highestTime = Instant.zero
    /// Datagrams received.
    public private(set) var packets: UInt64 = 0
    /// Bytes received: whole UDP payloads.
    public private(set) var bytes: UInt64 = 0
    /// When the ACK is due; `.never` when nothing waits for one.
    public private(set) var ackDue = Instant.never

    private var unacknowledged = 0
    /// The packet with which what is missing counts as lost.
    private var provesLoss = UInt64.max

    /// Nothing received yet.
    public init() {}

    /// Notes an authentic datagram that was not seen before. `eliciting`: the sender wants an ACK for it.
    public mutating func record(
        _ number: UInt64, bytes size: Int, eliciting: Bool, now: Instant, rtt: RoundTripTime
    ) {
        packets += 1
        bytes += UInt64(size)
        var gap = false
        if var known = map {
            gap = number > known.highest + 1
            if number > known.highest { highestTime = now }
            known.insert(number)
            map = known
        } else {
            map = AckMap(highest: number)
            highestTime = now
        }
        guard eliciting else { return }
        unacknowledged += 1
        let delay = min(max(rtt.smoothed / 4, .milliseconds(5)), .milliseconds(25))
        if gap { provesLoss = number + SentPackets.reorderingThreshold - 1 }
        let proof = number >= provesLoss
        if proof { provesLoss = .max }
        if unacknowledged >= Self.packetsPerAck || gap || proof {
            ackDue = now
        } else if ackDue == .never {
            ackDue = now + delay
        }
    }

    /// Asks for an ACK at once, as a PING does.
    public mutating func hurry(now: Instant) { ackDue = now }

    /// An ACK left.
    public mutating func ackLeft() {
        unacknowledged = 0
        ackDue = .never
    }
}
