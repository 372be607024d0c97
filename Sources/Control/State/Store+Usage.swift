import ControlProtocol
import GRDB
import Glibc

extension Store {
    /// Maximum number of a client's paths counted by name in a month; the traffic of the others is summed. A
    /// client that keeps creating paths must not fill the disk.
    static let mostPaths = 64
    /// Maximum number of bytes counted for a path in a month: 9 PB, so that no sum of sums overflows, whatever
    /// is reported.
    static let mostBytes: Int64 = 1 << 53
    /// The name under which the remaining paths are summed.
    static let otherPaths = "other"

    /// Adds the traffic since the last report to the current month (UTC). Counters and sums change in one
    /// transaction, so that a report counts once, however often it arrives and whichever process is killed.
    package func add(_ report: UsageReport, now: Int) throws(ControlError) {
        let changes = try read { db in try Self.changes(report, db) }
        // An idle server does not write every five seconds.
        guard !changes.paths.isEmpty || changes.isNewRun else { return }
        try write { db in
            let changes = try Self.changes(report, db)
            if changes.isNewRun {
                try db.execute(sql: "DELETE FROM counters")
                try Self.setValue(report.run, "usage_run", db)
            }
            let month = Self.month(now)
            for change in changes.paths {
                let counters = change.counters
                try db.execute(
                    sql: """
                        INSERT INTO counters VALUES (?, ?, ?, ?) ON CONFLICT (public_key, path)
                        DO UPDATE SET tx_bytes = excluded.tx_bytes, rx_bytes = excluded.rx_bytes
                        """,
                    arguments: [
                        counters.publicKey, counters.path, Int64(clamping: counters.sentBytes),
                        Int64(clamping: counters.receivedBytes),
                    ])
                try db.execute(
                    sql: """
                        INSERT INTO usage VALUES (?, ?, ?, ?, ?) ON CONFLICT (public_key, path, month)
                        DO UPDATE SET tx_bytes = min(tx_bytes + excluded.tx_bytes, \(Self.mostBytes)),
                            rx_bytes = min(rx_bytes + excluded.rx_bytes, \(Self.mostBytes))
                        """,
                    arguments: [
                        counters.publicKey, try Self.name(of: counters, month, db), month, change.sent,
                        change.received,
                    ])
            }
            for key in Set(changes.paths.filter { $0.received > 0 }.map(\.counters.publicKey)) {
                try db.execute(
                    sql: "INSERT INTO sightings VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at",
                    arguments: [key, now])
            }
        }
    }

    private struct Change {
        let counters: PathUsage
        let sent: Int64
        let received: Int64
    }

    /// The differences between a report and the last one.
    private static func changes(
        _ report: UsageReport, _ db: Database
    ) throws -> (isNewRun: Bool, paths: [Change]) {
        let isNewRun = try value("usage_run", db) != report.run
        var last: [[String]: (Int64, Int64)] = [:]
        if !isNewRun {
            for row in try Row.fetchAll(db, sql: "SELECT * FROM counters") {
                last[[row[0], row[1]]] = (row[2], row[3])
            }
        }
        let paths = report.paths.compactMap { path -> Change? in
            var (sent, received) = last[[path.publicKey, path.path]] ?? (0, 0)
            // A decrease: a client that was revoked and has joined again restarts its counters.
            if Int64(clamping: path.sentBytes) < sent || Int64(clamping: path.receivedBytes) < received {
                (sent, received) = (0, 0)
            }
            let change = Change(
                counters: path, sent: min(Int64(clamping: path.sentBytes) - sent, Self.mostBytes),
                received: min(Int64(clamping: path.receivedBytes) - received, Self.mostBytes))
            return change.sent > 0 || change.received > 0 ? change : nil
        }
        return (isNewRun, paths)
    }

    private static func name(of path: PathUsage, _ month: String, _ db: Database) throws -> String {
        let names = try String.fetchAll(
            db, sql: "SELECT path FROM usage WHERE public_key = ? AND month = ?",
            arguments: [path.publicKey, month])
        return names.contains(path.path) || names.count < mostPaths ? path.path : otherPaths
    }

    /// The traffic of each client's paths, over all months.
    package func usage() throws(ControlError) -> [PathUsage] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT public_key, path, sum(tx_bytes), sum(rx_bytes) FROM usage
                    GROUP BY public_key, path ORDER BY public_key, path
                    """
            ).map { row in
                let (sent, received): (Int64, Int64) = (row[2], row[3])
                return PathUsage(
                    publicKey: row[0], path: row[1], sentBytes: UInt64(sent), receivedBytes: UInt64(received))
            }
        }
    }

    /// The month as text, `2026-11`.
    static func month(_ now: Int) -> String {
        var time = time_t(now)
        var parts = tm()
        gmtime_r(&time, &parts)
        return "\(parts.tm_year + 1900)-\(parts.tm_mon < 9 ? "0" : "")\(parts.tm_mon + 1)"
    }
}
