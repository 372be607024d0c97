import ControlProtocol
import GRDB
import TestSupport
import Testing

@testable import Control

@Suite struct SecretStoreTests {
    let directory = TemporaryDirectory()
    let plan: Plan

    init() throws { plan = try Samples.plan() }

    private func secrets(_ store: Store) throws -> [HandedSecret] {
        try #require(try store.handover(plan: plan).secrets)
    }

    @Test func aStateHasASecretAndARotationAddsOne() throws {
        let store = try Store(directory: directory.path)
        let first = try secrets(store)
        #expect(first.count == 1 && first[0].generation > 0 && first[0].secret.count == 44)
        let revision = try store.handover(plan: plan).revision
        let soon = Int(first[0].generation) + 10
        try store.rotateSecrets(isForced: false, now: soon)
        let second = try secrets(store)
        #expect(second.count == 2 && second[1] == first[0] && second[0].generation == UInt32(soon))
        #expect(second[0].secret != first[0].secret)
        #expect(try store.handover(plan: plan).revision == revision + 1)
        // Another one would lock out a client that was away.
        #expect(throws: ControlError.self) { try store.rotateSecrets(isForced: false, now: soon + 86399) }
        #expect(try secrets(store) == second)
        try store.rotateSecrets(isForced: false, now: soon + 86400)
        let third = try secrets(store)
        #expect(third.count == 2 && third[1] == second[0])
        // A clock that was set back must not repeat a number.
        try store.rotateSecrets(isForced: true, now: 5)
        #expect(try secrets(store).map(\.generation) == [third[0].generation + 1, third[0].generation])
    }

    /// A backup from before a rotation: clients with the newer key can still connect.
    @Test func aRestoreForgetsNoKeyThatClientsHave() throws {
        let copy = directory.path + "/backup"
        var newest: [HandedSecret] = []
        do {
            let store = try Store(directory: directory.path)
            try store.backup(to: copy)
            try store.rotateSecrets(isForced: false, now: Int(try secrets(store)[0].generation) + 100)
            newest = try secrets(store)
        }
        try Store.restore(copy, into: directory.path, now: 5)
        #expect(try secrets(Store(directory: directory.path)) == newest)
    }

    /// A state of the previous version gets its first secret.
    @Test func anEarlierStateGetsOne() throws {
        do {
            let store = try Store(directory: directory.path)
            try store.write { db in
                try db.execute(
                    sql: "DROP TABLE secrets; DELETE FROM grdb_migrations WHERE identifier = 'secrets'")
            }
            try store.queue.close()
        }
        #expect(try secrets(Store(directory: directory.path)).count == 1)
    }
}
