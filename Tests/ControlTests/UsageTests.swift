import ControlProtocol
import GRDB
import TestSupport
import Testing

@testable import Control

@Suite struct UsageTests {
    let directory = TemporaryDirectory()
    let store: Store
    let plan: Plan

    init() throws {
        store = try Store(directory: directory.path)
        plan = try Samples.plan(extra: Samples.client("desk", 1, "10.77.0.2"))
    }

    func report(_ run: String, _ sent: UInt64, _ received: UInt64, path: String = "fibre") -> UsageReport {
        UsageReport(
            run: run,
            paths: [
                PathUsage(publicKey: Samples.key(1), path: path, sentBytes: sent, receivedBytes: received)
            ])
    }

    @Test func countersCountOnce() throws {
        try store.add(report("a", 100, 10), now: Samples.now)
        try store.add(report("a", 100, 10), now: Samples.now)
        try store.add(report("a", 150, 10), now: Samples.now + 5)
        // bondd has restarted, and has carried more since.
        try store.add(report("b", 30, 40), now: Samples.now + 10)
        try store.add(report("b", 30, 40), now: Samples.now + 15)
        #expect(try store.usage().map(\.sentBytes) == [180])
        #expect(try store.usage().map(\.receivedBytes) == [50])
        let client = try store.clients(plan: plan)[0]
        #expect(client.sentBytes == 180 && client.receivedBytes == 50)
        #expect(client.lastSeenAt == Samples.now + 10)
    }

    @Test func monthsAreKeptApart() throws {
        #expect(Store.month(0) == "1970-01" && Store.month(Samples.now) == "2027-01")
        try store.add(report("a", 100, 0), now: Samples.now)
        try store.add(report("a", 300, 0), now: Samples.now + 31 * 86400)
        let months = try store.read { db in
            try String.fetchAll(db, sql: "SELECT month || ' ' || tx_bytes FROM usage ORDER BY month")
        }
        #expect(months == ["2027-01 100", "2027-02 200"])
    }

    @Test func pathsWithoutEndAreCountedTogether() throws {
        let paths = (0..<200).map {
            PathUsage(publicKey: Samples.key(1), path: "path\($0)", sentBytes: 10, receivedBytes: 1)
        }
        try store.add(UsageReport(run: "a", paths: paths), now: Samples.now)
        let usage = try store.usage()
        #expect(usage.count == Store.mostPaths + 1)
        #expect(usage.reduce(0) { $0 + $1.sentBytes } == 2000)
        #expect(usage.first { $0.path == Store.otherPaths }?.sentBytes == 1360)
    }

    @Test func countersOfAnySizeAreTaken() throws {
        try store.add(report("a", .max, .max), now: Samples.now)
        try store.add(report("a", 5, 5), now: Samples.now)
        #expect(try store.usage().map(\.sentBytes) == [UInt64(Store.mostBytes)])
    }

    /// A client that was revoked and has joined again with its key starts at 0 in the same run of bondd.
    @Test func whoComesBackIsCountedAnew() throws {
        try store.add(report("a", 1000, 100), now: Samples.now)
        try store.add(report("a", 30, 40), now: Samples.now + 5)
        try store.add(report("a", 50, 40), now: Samples.now + 10)
        #expect(try store.usage().map(\.sentBytes) == [1050])
        #expect(try store.usage().map(\.receivedBytes) == [140])
    }
}
