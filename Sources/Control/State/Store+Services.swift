import ControlProtocol
import GRDB
import Packet
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

/// A change to the stored rules of a control plane, or all of them.
struct ServiceChange: Equatable, Sendable {
    /// Rules by number; nil if removed.
    var rules: [UInt64: Rule?] = [:]
    /// Limits by owner; nil if removed.
    var limits: [String: RateLimit?] = [:]
    /// Quotas by owner; nil if removed.
    var quotas: [String: Quota?] = [:]

    var isEmpty: Bool { rules.isEmpty && limits.isEmpty && quotas.isEmpty }
}

/// A pushed rule as stored in the state's file, with all its properties.
struct StoredRule: Codable {
    private var transport: String
    private var ports: [UInt16]
    private var targets: [Target]
    private var listsTargets: Bool
    private var prefersIPv6: Bool
    private var probeInterval: Int
    private var serverName: String?
    private var limit: StoredLimit
    private var owner: String?

    private struct Target: Codable {
        var host: String
        var port: UInt16
        var priority: UInt32
        var proxy: UInt8?
    }

    init(_ rule: Rule) {
        transport = rule.transport.word
        ports = [rule.ports.lowerBound, rule.ports.upperBound]
        targets = rule.targets.map {
            Target(host: $0.host, port: $0.port, priority: $0.priority, proxy: $0.proxy?.rawValue)
        }
        listsTargets = rule.listsTargets
        prefersIPv6 = rule.prefersIPv6
        probeInterval = rule.probeInterval
        serverName = rule.serverName
        limit = StoredLimit(rule.limit)
        owner = rule.owner
    }

    /// The rule with that number; nil if the stored values are invalid.
    func rule(_ number: UInt64) -> Rule? {
        guard let transport = TransportProtocol(word: transport), ports.count == 2, ports[0] <= ports[1],
            !targets.isEmpty
        else { return nil }
        return Rule(
            id: .pushed(number), transport: transport, ports: ports[0]...ports[1],
            targets: targets.map {
                RuleTarget(
                    host: $0.host, port: $0.port, priority: $0.priority,
                    proxy: $0.proxy.flatMap { ProxyVersion(rawValue: $0) })
            },
            listsTargets: listsTargets, prefersIPv6: prefersIPv6, probeInterval: probeInterval,
            serverName: serverName, limit: limit.limit, owner: owner)
    }
}

/// A limit as stored in the state's file.
struct StoredLimit: Codable {
    private var bytesIn: UInt64?
    private var bytesOut: UInt64?
    private var connectionRate: UInt32?
    private var connections: UInt32?
    private var burstIn: UInt64?
    private var burstOut: UInt64?
    private var connectionBurst: UInt32?

    init(_ limit: RateLimit) {
        (bytesIn, bytesOut) = (limit.bytesIn, limit.bytesOut)
        (connectionRate, connections) = (limit.connectionRate, limit.connections)
        (burstIn, burstOut, connectionBurst) = (limit.burstIn, limit.burstOut, limit.connectionBurst)
    }

    var limit: RateLimit {
        RateLimit(
            bytesIn: bytesIn, bytesOut: bytesOut, connectionRate: connectionRate, connections: connections,
            burstIn: burstIn, burstOut: burstOut, connectionBurst: connectionBurst)
    }
}
