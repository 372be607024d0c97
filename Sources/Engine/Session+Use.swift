import Packet
import Proto
import Scheduler

/// A path's use for the packets that are sent now.
enum Use {
    /// It cannot carry data.
    case none
    /// A better role carries the data.
    case standby
    /// Packets would arrive so much later on it than on the nearest path that it gets none, unless the queue
    /// overflows.
    case far
    /// It carries data.
    case active
}

// Which paths are in use, in either direction: the one input for limits, holds, scheduling, reach and coding.
extension Session {
    /// How much longer than on the nearest path packets may take on one that takes part in striping.
    private var longestLead: Interval {
        mode == .throughput ? Lanes.longestBulkLead : Lanes.longestLead
    }

    /// Sets every path's use, before and after each turn's changes to the paths.
    ///
    /// Delays are relative to the unknown offset between two clocks. They are only compared with each other,
    /// and only if each of them is known; paths that take no part have none.
    mutating func sortPaths(now: Instant) {
        let rank = paths.bestRank
        var allDelaysKnown = true
        for i in 0..<paths.count {
            let path = paths[i]
            path.pointee.use =
                !path.pointee.carriesData
                ? .none : path.pointee.role.rawValue == rank ? .active : .standby
            if path.pointee.use == .active && !path.pointee.delay.isKnown { allDelaysKnown = false }
        }
        var nearest: Interval?
        for i in 0..<paths.count {
            let path = paths[i]
            path.pointee.transit = nil
            path.pointee.shortestTransit = nil
            guard path.pointee.use == .active else { continue }
            // Without a one-way delay for each path, half the round trip has to do.
            let transit =
                allDelaysKnown
                ? path.pointee.delay.likely(now: now)
                : path.pointee.rtt.smoothed / 2 + path.pointee.delay.jitter / 2
            path.pointee.transit = transit
            path.pointee.shortestTransit =
                allDelaysKnown ? path.pointee.delay.minimum : path.pointee.rtt.minimum / 2
            nearest = min(nearest ?? transit, transit)
        }
        for i in 0..<paths.count {
            guard let nearest, let transit = paths[i].pointee.transit else { continue }
            if transit - nearest > longestLead { paths[i].pointee.use = .far }
        }
        sortSources(rank: rank, now: now)
    }

    /// The same for the packets that the peer sends, by the rule that it sends by: paths in reserve or too
    /// far away bring nothing, unless they have just done so.
    private mutating func sortSources(rank: UInt8, now: Instant) {
        var nearest: Interval?
        for i in 0..<paths.count {
            let path = paths[i]
            path.pointee.bringsData =
                path.pointee.mayBringData(now: now)
                && (path.pointee.role.rawValue <= rank || path.pointee.hasBroughtData(now: now))
            guard path.pointee.bringsData, path.pointee.inboundDelay.isKnown else { continue }
            let transit = path.pointee.inboundDelay.likely(now: now)
            nearest = min(nearest ?? transit, transit)
        }
        guard let nearest else { return }
        for i in 0..<paths.count where paths[i].pointee.inboundDelay.isKnown {
            let path = paths[i]
            let isFar = path.pointee.inboundDelay.likely(now: now) - nearest > longestLead
            if isFar && !path.pointee.hasBroughtData(now: now) { path.pointee.bringsData = false }
        }
    }
}

extension PathList {
    /// The best role among the paths that are up: primary, else backup, else metered.
    var bestRank: UInt8 {
        var rank = PathRole.never.rawValue
        for i in 0..<count where self[i].pointee.carriesData {
            rank = min(rank, self[i].pointee.role.rawValue)
        }
        return rank
    }

    /// Whether a path is up. Without one a client searches for the server again.
    var isAnyUp: Bool {
        for i in 0..<count where self[i].pointee.carriesData { return true }
        return false
    }
}

extension DelayModel {
    /// The delay that packets meet now, with a margin for jitter.
    fileprivate func likely(now: Instant) -> Interval { expected(now: now) + jitter / 2 }
}

extension Path {
    /// Whether the peer has sent data on it in the last 2 s.
    fileprivate func hasBroughtData(now: Instant) -> Bool { now - lastDataHeard < .seconds(2) }
}
