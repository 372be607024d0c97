import Packet

/// Detects when to leave slow start, like Linux' Cubic: HyStart (Ha and Rhee, 2011) with Linux' constants. RFC
/// 9406 (HyStart++) has another second phase, see `HyStartPlus`.
struct HyStart {
    /// Minimum window in segments for detection.
    private static let leastWindow = 16
    private static let samples = 8
    /// Maximum spacing between ACKs of one train.
    private static let trainSpacing = Interval.milliseconds(2)

    private var roundEnd = 0
    private var roundStart = Instant.zero
    private var lastACK = Instant.zero
    private var roundDelay = Interval(nanoseconds: .max)
    private var count = 0

    mutating func reset() { self = HyStart() }

    /// Records an ACK's round-trip time; returns true if slow start should end.
    /// - Parameters:
    ///   - acknowledged: the next segment expected by the receiver.
    ///   - sent: the next segment to be sent.
    mutating func isOver(
        acknowledged: Int, sent: Int, window: Int, rtt: Interval, minimum: Interval, now: Instant
    ) -> Bool {
        guard window >= Self.leastWindow else { return false }
        if acknowledged > roundEnd {
            roundEnd = sent
            roundStart = now
            lastACK = now
            roundDelay = Interval(nanoseconds: .max)
            count = 0
        }
        if now - lastACK <= Self.trainSpacing {
            lastACK = now
            if now - roundStart > (minimum + .milliseconds(1)) / 2 { return true }
        }
        roundDelay = min(roundDelay, rtt)
        if count < Self.samples {
            count += 1
            return false
        }
        return roundDelay > minimum + min(max(minimum / 8, .milliseconds(4)), .milliseconds(16))
    }
}
