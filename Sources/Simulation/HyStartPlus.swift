import Packet

/// Detects when to leave slow start after RFC 9406 (HyStart++): when the round trips of a round grow, the
/// window grows more slowly for some rounds, and returns to slow start if they shrink again.
struct HyStartPlus {
    private static let samples = 8
    private static let conservativeRounds = 5
    private static let conservativeDivisor = 4

    private var roundEnd = 0
    private var lastRound = Interval(nanoseconds: .max)
    private var thisRound = Interval(nanoseconds: .max)
    private var count = 0
    private var baseline = Interval(nanoseconds: .max)
    private var conservative = 0

    /// Records a round-trip time.
    /// - Parameters:
    ///   - acknowledged: the highest packet that has arrived.
    ///   - next: the next packet to be sent.
    /// - Returns: the growth of the window for `acked` packets; nil once slow start is over.
    mutating func growth(acked: Int, rtt: Interval, acknowledged: Int, next: Int) -> Int? {
        if acknowledged >= roundEnd {
            roundEnd = next
            lastRound = thisRound
            thisRound = Interval(nanoseconds: .max)
            count = 0
            if conservative > 0 {
                conservative += 1
                if conservative > Self.conservativeRounds { return nil }
            }
        }
        thisRound = min(thisRound, rtt)
        count += 1
        if count >= Self.samples && lastRound.nanoseconds < .max {
            if conservative == 0 {
                let threshold = min(max(lastRound / 8, .milliseconds(4)), .milliseconds(16))
                if thisRound >= lastRound + threshold {
                    baseline = thisRound
                    conservative = 1
                }
            } else if thisRound < baseline {
                baseline = Interval(nanoseconds: .max)
                conservative = 0
            }
        }
        return conservative > 0 ? acked / Self.conservativeDivisor : acked
    }
}
