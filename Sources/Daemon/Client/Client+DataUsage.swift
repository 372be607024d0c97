import Engine
import Host
import Packet
import Proto
import Settings

// Monthly data caps: a path that has used up its own carries nothing until the next month, or until the cap
// is raised.
extension Client {
    /// The time between counts while there is traffic. In it a path of 1 Gbit/s carries 12 MB.
    private static var usageInterval: Interval { .milliseconds(100) }

    /// Counts what the paths have carried, if the last count is old enough.
    func watchUsage(now: Instant) {
        if now - usage.checkedAt >= Self.usageInterval { checkUsage(now: now) }
    }

    /// Counts what the paths have carried, and takes paths that may carry no more out of use.
    func checkUsage(now: Instant) {
        usage.checkedAt = now
        let month = Month(of: Timestamp.now.seconds)
        var isNews = false
        for path in paths {
            path.used = usage.count(path.meter.take(), over: path.configuration.name, in: month, now: now)
            let before = path.dataState
            path.dataState = DataState(used: path.used, of: path.dataCap)
            guard path.dataState != before else { continue }
            isNews = true
            announce(path, after: before)
            let wasSpent = before == .spent
            if path.isKnownToEngine && (path.dataState == .spent) != wasSpent {
                tellEngine(of: path, now: now)
            }
        }
        usage.save(caps: caps, atOnce: isNews, now: now)
    }

    /// `bondd set path.NAME.data_used`: the path's usage this month as the operator knows it.
    /// - Returns: the error in `value`; `nil` if it was accepted.
    func setUsage(_ value: String, of path: ClientPath, now: Instant) -> String? {
        guard let gigabytes = Double(value), gigabytes >= 0, gigabytes <= 1e6 else {
            return "\"\(value)\" is not an amount of data; give the GB that the path has used this month"
        }
        checkUsage(now: now)
        usage.set(UInt64(gigabytes * 1e9), of: path.configuration.name)
        checkUsage(now: now)
        return nil
    }

    private var caps: [(path: String, bytes: UInt64)] {
        paths.compactMap { path in path.dataCap.map { (path.configuration.name, $0) } }
    }

    private func announce(_ path: ClientPath, after before: DataState) {
        let name = path.configuration.name
        let cap = "\(path.configuration.dataCap)"
        switch path.dataState {
        case .free:
            if before == .spent { shared.log(.info, "path may carry data again", ["path": name]) }
        case .scarce:
            let sentence =
                before == .spent
                ? "path may carry data again, but has used 90 % of its monthly data"
                : "path has used 90 % of its monthly data"
            shared.log(.warning, sentence, ["path": name, "cap_gb": cap])
        case .spent:
            shared.log(
                .warning,
                "path has used up its monthly data and carries nothing until \(usage.month.next)-01 or its cap is raised",
                ["path": name, "cap_gb": cap])
        }
    }
}

/// How much of a path's monthly data is left.
enum DataState {
    /// At least a tenth, or no cap.
    case free
    /// Less than a tenth.
    case scarce
    /// Nothing.
    case spent

    /// - Parameter cap: in bytes; nil if there is none.
    init(used: UInt64, of cap: UInt64?) {
        guard let cap else {
            self = .free
            return
        }
        self = used >= cap ? .spent : used >= cap / 10 * 9 ? .scarce : .free
    }
}
