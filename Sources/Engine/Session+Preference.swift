import Packet
import Scheduler

// Which path `preferred` prefers.
extension Session {
    /// Scores the paths of the best role, and puts the current one first.
    mutating func ratePaths(now: Instant) {
        guard mode == .preferred else {
            preference.reset()
            return
        }
        for i in 0..<paths.count
        where paths[i].pointee.use == .active || paths[i].pointee.use == .far {
            lanes[i].score = paths[i].pointee.score
        }
        preference.update(lanes, now: now)
        if let present = preference.path { lanes[present].score = 0 }
    }
}

extension Path {
    /// A standing queue up to this size may be our own, as `RateModel` slows down beyond it, and is not a
    /// reason to leave the path.
    private static var ownQueue: Interval { .milliseconds(30) }
    /// Bytes of a small page or a moment of video: the weight of the rate relative to the round trip.
    private static var burst: Double { 64_000 }

    /// How long the answer to a burst would take, in nanoseconds: the round trip with all queues except our
    /// own, half as long again for every 5 % of loss, plus the burst itself at the path's rate if that was
    /// measured. A path that was never full is given the benefit of the doubt.
    var score: Double {
        let own = min(max(delay.standing, .zero), Self.ownQueue)
        let way = Double(max(rtt.smoothed - own, .zero).nanoseconds) * (1 + 10 * lossRatio)
        return way + (rate.isMeasured ? Self.burst / rate.plannedRate(rtt) * 1e9 : 0)
    }
}
