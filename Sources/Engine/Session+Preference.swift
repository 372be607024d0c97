import Packet
import Scheduler

// Which path `preferred` prefers.
extension Session {
    /// Rates the paths of the best role, and has the present one come first.
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
    /// What stands in a path's queues up to here may be our own doing, as `RateModel` slows down beyond it, and is no reason
    /// to leave.
    private static var ownQueue: Interval { .milliseconds(30) }
    /// What a small page or a moment of video has, in bytes: so much weighs the rate beside the round trip.
    private static var burst: Double { 64_000 }

    /// How long the answer to a burst would take, in nanoseconds: the round trip with all queues but our own, half
    /// as long again for every 5 % of loss, and the burst itself at the path's rate where that was measured. Of a path
    /// that was never full nothing is known that speaks against it.
    var score: Double {
        let own = min(max(delay.standing, .zero), Self.ownQueue)
        let way = Double(max(rtt.smoothed - own, .zero).nanoseconds) * (1 + 10 * lossRatio)
        return way + (rate.isMeasured ? Self.burst / rate.plannedRate(rtt) * 1e9 : 0)
    }
}
