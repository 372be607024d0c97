import Packet
import Scheduler

// How precisely a path has to be known, and how much finding out may cost.
//
// A PING and its answer take about 330 bytes with IP and UDP headers, 370 over IPv6. Every 20 s that is 1.6
// MB a day, and new keys every 120 s add 0.5 MB: a path held in reserve stays below 5 MB a day, whatever the
// rest of the tunnel does.
extension Session {
    /// The shortest interval between PINGs of a path that has nothing to send.
    static var shortestProbe: Interval { .milliseconds(200) }
    /// The longest interval: often enough to keep a NAT's mapping open (RFC 4787 REQ-5 allows 30 s).
    static var longestProbe: Interval { .seconds(20) }
    /// The interval is this fraction of the time since the path was last used.
    static var probeBackoff: Int64 { 5 }
    /// Bytes carried by the tunnel that justify a PING on each primary path that might have carried them: a
    /// cost of about 1 %.
    static var bytesPerProbe: UInt64 { 48_000 }

    /// If fewer bytes than a PING costs were carried since the last one, the next can wait a second.
    private static var fewBytes: UInt64 { 256 }
    /// Time of use that each byte counts for: an occasional packet leaves an idle tunnel idle, and 10 kB make
    /// it busy.
    private static var usePerByte: Interval { .milliseconds(10) }

    /// Records that `bytes` of data passed, in either direction.
    mutating func noteCarried(_ bytes: Int, now: Instant) {
        lastData = now
        carried += UInt64(bytes)
        let oldest = now - Self.longestProbe * Self.probeBackoff
        usedUntil = min(max(usedUntil, oldest) + Self.usePerByte * Int64(bytes), now)
    }

    /// How closely a path has to be measured at present.
    enum Watch {
        /// Carries data, or may with the next packet.
        case active
        /// A primary path that is unused because `preferred` prefers another or its delay is too long. It is
        /// measured to see whether that still holds, but only while data passes that it might carry.
        case spare
        /// Waits until better paths have failed.
        case standby
    }

    /// - Parameter rank: the rank of the best role that is up, from `bestRank`.
    func watch(over index: Int, rank: UInt8, now: Instant) -> Watch {
        let path = paths[index]
        if path.pointee.role.rawValue > rank { return .standby }
        if now - path.pointee.lastData < .seconds(2) { return .active }
        if path.pointee.use == .far { return .spare }
        if mode == .preferred, let present = preference.path, present != index { return .spare }
        return .active
    }

    /// Sends a PING on an idle path if one is due.
    mutating func probeIdle(_ index: Int, now: Instant) {
        let path = paths[index]
        guard path.pointee.liveness.isUp else { return }
        let isDue = isDue(.idleProbe, of: index, now: now)
        guard isDue || isWorthAProbe(path, now: now) else { return }
        let watch = watch(over: index, rank: paths.bestRank, now: now)
        guard isDue || watch == .spare else { return }
        if watch == .active && carried - path.pointee.carriedAtProbe < Self.fewBytes
            && now - path.pointee.lastIdleProbe < .seconds(1)
        {
            path.pointee.nextIdleProbe = now + Self.shortestProbe
            return
        }
        path.pointee.lastIdleProbe = now
        path.pointee.nextIdleProbe = now + idleInterval(of: path, watch, now: now)
        path.pointee.carriedAtProbe = carried
        // A path that carries data is measured by it, and others by PINGs: both ends need to know their own
        // direction while the tunnel is in use; at other times, and for paths in reserve, the client's PINGs
        // are enough.
        guard path.pointee.sent.oldestUnanswered() == nil else { return }
        if isClient || watch != .standby && now - lastUse(of: path) < .seconds(2) {
            path.pointee.control.ping = true
        }
    }

    /// Whether enough data was carried since a primary path was last probed for its quality to matter.
    private func isWorthAProbe(_ path: UnsafeMutablePointer<Path>, now: Instant) -> Bool {
        path.pointee.role == .primary && now - path.pointee.lastIdleProbe >= Self.shortestProbe
            && carried - path.pointee.carriedAtProbe >= Self.bytesPerProbe
    }

    /// How often an idle path is probed: five times a second while it is in use, once a second after that,
    /// then less and less often.
    private func idleInterval(
        of path: UnsafeMutablePointer<Path>, _ watch: Watch, now: Instant
    ) -> Interval {
        guard watch == .active else { return Self.longestProbe }
        let idle = now - lastUse(of: path)
        if idle < .seconds(2) { return Self.shortestProbe }
        return min(max(idle / Self.probeBackoff, .seconds(1)), Self.longestProbe)
    }

    /// When precise measurements of the path were last useful. For a metered one that is when it carried data
    /// itself.
    private func lastUse(of path: UnsafeMutablePointer<Path>) -> Instant {
        path.pointee.role == .metered ? path.pointee.lastData : usedUntil
    }

    /// How long an answer may take before the path at `index` is in doubt. If no data depends on it there is
    /// no hurry, and a dozen probes for a host or a radio that was briefly busy would cost more than all
    /// others of an hour.
    func patience(with index: Int, rank: UInt8, now: Instant) -> Interval {
        let timeout = paths[index].pointee.rtt.answerTimeout
        let lastData = max(paths[index].pointee.lastData, lastUse(of: paths[index]))
        let isWatched = now - lastData < .seconds(2) && watch(over: index, rank: rank, now: now) == .active
        return isWatched ? timeout : max(timeout, .seconds(1))
    }

    /// A path in use has fallen silent: probe at once those that may replace it. A radio link may fall silent
    /// several times a second, hence the budget.
    mutating func askOthers(but index: Int, now: Instant) {
        var isSpent = false
        for i in 0..<paths.count where i != index && paths[i].pointee.carriesData {
            guard now - paths[i].pointee.lastHeard >= .seconds(1) else { continue }
            guard isSpent || alarms.take(now: now) else { return }
            isSpent = true
            paths[i].pointee.nextIdleProbe = min(paths[i].pointee.nextIdleProbe, now)
        }
    }
}

/// How often paths in reserve may be probed out of turn: 8 times at once, and every 30 s, which is 1 MB a
/// day.
struct AlarmBudget {
    private static let most: Int64 = 8
    private static let refill = Interval.seconds(30)

    /// When the budget is full again.
    private var fullAt = Instant.zero

    /// Takes one from the budget; returns false if it is used up.
    mutating func take(now: Instant) -> Bool {
        guard max(fullAt, now) - now <= Self.refill * (Self.most - 1) else { return false }
        fullAt = max(fullAt, now) + Self.refill
        return true
    }
}
