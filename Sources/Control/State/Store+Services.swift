import ControlProtocol
import GRDB
import Rules

// Rules pushed by a control plane, stored so that they are carried at once after a restart.
extension Store {
    /// The stored rules of the control plane `plane`. Those of any other one are removed.
    func services(of plane: String) throws(ControlError) -> ServiceChange {
        try write { db in
            for table in ["service_rules", "service_limits", "service_quotas"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE plane <> ?", arguments: [plane])
            }
            var services = ServiceChange()
            for row in try Row.fetchAll(db, sql: "SELECT number, rule FROM service_rules") {
                let number = UInt64(bitPattern: row[0])
                // An unreadable rule comes again with the next session.
                guard let stored = try? Line.decode(StoredRule.self, from: (row[1] as String).utf8),
                    let rule = stored.rule(number)
                else { continue }
                services.rules[number] = rule
            }
            for row in try Row.fetchAll(db, sql: "SELECT owner, rate_limit FROM service_limits") {
                guard let stored = try? Line.decode(StoredLimit.self, from: (row[1] as String).utf8) else {
                    continue
                }
                services.limits[row[0] as String] = stored.limit
            }
            for row in try Row.fetchAll(
                db,
                sql: """
                    SELECT owner, monthly_bytes, remaining, begins_at, ends_at, is_exhausted FROM service_quotas
                    WHERE begins_at <= ends_at
                    """)
            {
                let (begin, end): (Int64, Int64) = (row[3], row[4])
                services.quotas[row[0] as String] = Quota(
                    monthlyBytes: row[1], remaining: row[2], period: begin..<end, isExhausted: row[5])
            }
            return services
        }
    }

    /// Stores changes of the control plane `plane`.
    func save(_ change: ServiceChange, of plane: String) throws(ControlError) {
        if change.isEmpty { return }
        try write { db in
            for (number, rule) in change.rules {
                let key = Int64(bitPattern: number)
                if let rule {
                    try db.execute(
                        sql: "INSERT OR REPLACE INTO service_rules VALUES (?, ?, ?)",
                        arguments: [plane, key, try Self.text(StoredRule(rule))])
                } else {
                    try db.execute(
                        sql: "DELETE FROM service_rules WHERE plane = ? AND number = ?",
                        arguments: [plane, key])
                }
            }
            for (owner, limit) in change.limits {
                if let limit {
                    try db.execute(
                        sql: "INSERT OR REPLACE INTO service_limits VALUES (?, ?, ?)",
                        arguments: [plane, owner, try Self.text(StoredLimit(limit))])
                } else {
                    try db.execute(
                        sql: "DELETE FROM service_limits WHERE plane = ? AND owner = ?",
                        arguments: [plane, owner])
                }
            }
            for (owner, quota) in change.quotas {
                if let quota {
                    try db.execute(
                        sql: "INSERT OR REPLACE INTO service_quotas VALUES (?, ?, ?, ?, ?, ?, ?)",
                        arguments: [
                            plane, owner, quota.monthlyBytes, quota.remaining, quota.period.lowerBound,
                            quota.period.upperBound, quota.isExhausted,
                        ])
                } else {
                    try db.execute(
                        sql: "DELETE FROM service_quotas WHERE plane = ? AND owner = ?",
                        arguments: [plane, owner])
                }
            }
        }
    }

    private static func text(_ value: some Encodable) throws -> String {
        String(decoding: try Line.encode(value).dropLast(), as: UTF8.self)
    }
}
