import Packet

/// Totals of the datagrams received on one path, and when the next ACK frame is due. The path's replay window
/// knows their packet numbers.
public struct ReceivedPackets: Sendable {
    /// An ACK is due after at most this many packets.
    public static let packetsPerAck = 32
    /// If more packets than this arrived since the last ACK, that ACK is repeated along with the next. One
    /// turn of a busy receiver takes 256 packets, and an ACK covers 256.
    public static let packetsPerRepeat = 128

    /// The contents of an ACK apart from the map.
    public struct State: Sendable {
        /// The highest packet number received.
        public fileprivate(set) var highest: UInt64
        /// When that one arrived.
        public fileprivate(set) var highestTime: Instant
        /// Datagrams received.
        public fileprivate(set) var packets: UInt64 = 0
        /// Bytes received, as whole UDP payloads.
        public fileprivate(set) var bytes: UInt64 = 0
    }

    /// Totals so far; `nil` before the first datagram.
    public private(set) var state: State?
    /// When the ACK is due; `.never` when nothing waits for one.
    public private(set) var ackDue = Instant.never
    /// Whether the ACK reports missing datagrams, or the peer has asked for it with a PING.
    public private(set) var isUrgent = false

    private var acknowledged: State?
    private var unacknowledged = 0
    /// The packet number on whose arrival the missing packets count as lost.
    private var provesLoss = UInt64.max

    /// Nothing received yet.
    public init() {}

    /// The contents of the last ACK, if it is to be repeated.
    public var stateToRepeat: State? { unacknowledged > Self.packetsPerRepeat ? acknowledged : nil }

    /// Records an authentic datagram that was not seen before. `eliciting`: the sender wants an ACK for it.
    public mutating func record(
        _ number: UInt64, bytes size: Int, eliciting: Bool, now: Instant, rtt: borrowing RoundTripTime
    ) {
        var known = state ?? State(highest: number, highestTime: now)
        known.packets += 1
        known.bytes += UInt64(size)
        let gap = number > known.highest + 1
        if number > known.highest {
            known.highest = number
            known.highestTime = now
        }
        state = known
        guard eliciting else { return }
        unacknowledged += 1
        let delay = min(max(rtt.smoothed / 4, .milliseconds(5)), .milliseconds(25))
        if gap { provesLoss = number + SentPackets.reorderingThreshold - 1 }
        let proof = number >= provesLoss
        if proof { provesLoss = .max }
        if gap || proof { isUrgent = true }
        if unacknowledged >= Self.packetsPerAck || gap || proof {
            ackDue = now
        } else if ackDue == .never {
            ackDue = now + delay
        }
    }

    /// Makes an ACK due at once, as a PING does.
    public mutating func hurry(now: Instant) {
        ackDue = now
        isUrgent = true
    }

    /// Records that an ACK left.
    public mutating func ackLeft() {
        acknowledged = state
        unacknowledged = 0
        ackDue = .never
        isUrgent = false
    }
}
