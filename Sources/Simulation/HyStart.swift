import Packet

/// When slow start has gone far enough, as Linux' Cubic finds out: HyStart (Ha and Rhee, 2011) with its constants. It
/// is what Linux does; RFC 9406 (HyStart++) has another second half, see `HyStartPlus`.
struct HyStart {
    /// Below so many segments nothing is looked for.
    private static let leastWindow = 16
    private static let samples = 8
    /// ACKs that follow one another this closely are of one train.
    private static let trainSpacing = Interval.milliseconds(2)

    private var roundEnd = 0
    private var roundStart = Instant.zero
    private var lastACK = Instant.zero
    private var roundDelay = Interval(nanoseconds: .max)
    private var count = 0

    mutating func reset() { self = HyStart() }

    /// Takes an ACK's round-trip time; true when slow start should end.
    /// - Parameters:
    ///   - acknowledged: the next segment that the receiver waits for.
    ///   - sent: the next segment that will be sent.
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
