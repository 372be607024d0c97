import ControlProtocol

/// The data of `bondd status --watch`: the latest status, and rates from the counters of earlier ones.
struct StatusHistory {
    /// Identifies a path of one session.
    struct PathKey: Hashable {
        var client: String
        var path: String
    }

    private struct Counters {
        var sent: UInt64
        var received: UInt64
    }

    /// The latest status; `nil` before the first.
    private(set) var status: Status?
    /// The rates of each path.
    private(set) var paths: [PathKey: RateHistory] = [:]
    /// The sum of each session's paths, by client.
    private(set) var sessions: [String: RateHistory] = [:]
    /// The sum of all sessions.
    private(set) var total = RateHistory()

    private var counters: [PathKey: Counters] = [:]
    private var countedAt: Double?
    private var countedRun: String?

    /// Two readings that are closer together than this (seconds) give one sample.
    private static let shortest = 0.5

    /// Adds a status that arrived at `time` (seconds of a monotonic clock).
    mutating func add(_ status: Status, at time: Double) {
        defer { self.status = status }
        // A restarted daemon counts from 0 again.
        let isSameRun = countedRun == status.run
        guard let last = countedAt, isSameRun else { return count(status, at: time) }
        let elapsed = time - last
        guard elapsed >= Self.shortest else { return }
        var all = RateHistory.Sample(sent: 0, received: 0)
        var seenPaths: [PathKey: RateHistory] = [:]
        var seenSessions: [String: RateHistory] = [:]
        for session in status.sessions {
            var sum = RateHistory.Sample(sent: 0, received: 0)
            for path in session.paths {
                let key = PathKey(client: session.client, path: path.name)
                // A new path, or a path of a new session, has no rate yet.
                let old = counters[key] ?? Counters(sent: path.sentBytes, received: path.receivedBytes)
                let sample = RateHistory.Sample(
                    sent: Self.megabits(path.sentBytes, since: old.sent, elapsed),
                    received: Self.megabits(path.receivedBytes, since: old.received, elapsed))
                seenPaths[key] = paths[key] ?? RateHistory()
                seenPaths[key]!.append(sample)
                sum.sent += sample.sent
                sum.received += sample.received
            }
            seenSessions[session.client] = sessions[session.client] ?? RateHistory()
            seenSessions[session.client]!.append(sum)
            all.sent += sum.sent
            all.received += sum.received
        }
        paths = seenPaths
        sessions = seenSessions
        total.append(all)
        count(status, at: time)
    }

    /// The daemon does not answer: the next status has no predecessor to compare with.
    mutating func interrupt() {
        counters = [:]
        countedAt = nil
    }

    private mutating func count(_ status: Status, at time: Double) {
        countedAt = time
        countedRun = status.run
        counters = [:]
        for session in status.sessions {
            for path in session.paths {
                counters[PathKey(client: session.client, path: path.name)] =
                    Counters(sent: path.sentBytes, received: path.receivedBytes)
            }
        }
    }

    private static func megabits(_ now: UInt64, since old: UInt64, _ seconds: Double) -> Double {
        now < old ? 0 : Double(now - old) * 8 / 1e6 / seconds
    }
}
