import GRDB
import Glibc
import Rules
import TestSupport
import Testing

@testable import Control

/// The stored rules of control planes.
@Suite struct ServiceStoreTests {
    let directory = TemporaryDirectory()

    static func rule(_ number: UInt64, port: UInt16 = 8443, owner: String? = "ann") -> Rule {
        Rule(
            id: .pushed(number), transport: .tcp, ports: port...port,
            targets: [
                RuleTarget(host: "10.77.0.2", port: 443, priority: 7, proxy: .v2),
                RuleTarget(host: "host.lan", port: 80),
            ],
            listsTargets: true, prefersIPv6: true, probeInterval: 5, serverName: "*.example.org",
            limit: RateLimit(
                bytesIn: .max, bytesOut: 2, connectionRate: 3, connections: 4, burstIn: 5, burstOut: 6,
                connectionBurst: 7), owner: owner)
    }

    static let quota = Quota(
        monthlyBytes: 1 << 40, remaining: -5, period: 1_700_000_000..<1_702_592_000, isExhausted: true)

    @Test func whatWasStoredIsReadWhole() throws {
        var change = ServiceChange()
        change.rules[.max] = Self.rule(.max)
        change.rules[1] = Rule(
            id: .pushed(1), transport: .udp, ports: 9000...9010,
            targets: [RuleTarget(host: "fd77::2", port: 9000)])
        change.limits["ann"] = RateLimit(bytesIn: 1)
        change.quotas["ann"] = Self.quota
        try Store(directory: directory.path).save(change, of: "plane")
        let store = try Store(directory: directory.path)
        #expect(try store.services(of: "plane") == change)
        var gone = ServiceChange()
        gone.rules.updateValue(nil, forKey: 1)
        gone.limits.updateValue(nil, forKey: "ann")
        gone.quotas.updateValue(nil, forKey: "ann")
        try store.save(gone, of: "plane")
        #expect(try store.services(of: "plane").rules.keys.sorted() == [.max])
        #expect(try store.services(of: "plane").limits.isEmpty)
        // Another control plane has other rules.
        #expect(try store.services(of: "other").isEmpty)
        #expect(try store.services(of: "plane").isEmpty)
    }

    @Test func damagedRowsAreSkipped() throws {
        let store = try Store(directory: directory.path)
        try store.write { db in
            for (number, text) in ["", "{}", "[1]", "{\"ports\":[9,1]}"].enumerated() {
                try db.execute(
                    sql: "INSERT INTO service_rules VALUES ('p', ?, ?)", arguments: [number, text])
            }
            try db.execute(sql: "INSERT INTO service_limits VALUES ('p', 'a', 'x')")
            try db.execute(sql: "INSERT INTO service_quotas VALUES ('p', 'a', 1, 1, 9, 3, 0)")
        }
        #expect(try store.services(of: "p").isEmpty)
    }

    /// A state of the previous version has no tables for services, and keeps its contents.
    @Test func anEarlierStateIsTakenOver() throws {
        do {
            let queue = try DatabaseQueue(path: directory.path + "/" + Store.fileName)
            try Schema.migrator.migrate(queue, upTo: "1")
            try queue.write { db in
                try db.execute(sql: "INSERT INTO meta VALUES ('endpoints', '203.0.113.7:5000')")
                #expect(try !db.tableExists("service_rules"))
            }
            try queue.close()
        }
        let store = try Store(directory: directory.path)
        #expect(try store.endpoints() == ["203.0.113.7:5000"])
        var change = ServiceChange()
        change.rules[5] = Self.rule(5)
        try store.save(change, of: "p")
        #expect(try store.services(of: "p") == change)
    }
}
