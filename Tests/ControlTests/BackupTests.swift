import ControlProtocol
import GRDB
import Glibc
import TestSupport
import Testing

@testable import Control

@Suite struct BackupTests {
    let directory = TemporaryDirectory()
    var copy: String { directory.path + "/backup" }
    let plan: Plan

    init() throws { plan = try Samples.plan() }

    func names() throws -> [String] {
        try Store(directory: directory.path).handover(plan: plan).clients.map(\.name)
    }

    @Test func aBackupIsTheStateOfItsTime() throws {
        var revision = 0
        do {
            let store = try Store(directory: directory.path)
            let id = try store.invite("a", uses: 9, plan: plan)
            #expect(try store.enrol(id, 1, plan: plan) == .stored)
            try store.backup(to: copy)
            #expect(directory.mode(of: "backup") == 0o600)
            #expect(throws: ControlError.self) { try store.backup(to: copy) }
            #expect(try store.enrol(id, 2, plan: plan) == .stored)
            revision = try store.handover(plan: plan).revision
        }
        #expect(try names() == ["a", "a-2"])
        try Store.restore(copy, into: directory.path, now: 5)
        #expect(try names() == ["a"])
        // bondd must take the older state for newer than its own.
        #expect(try Store(directory: directory.path).handover(plan: plan).revision == revision + 1)
        try Store.restore(copy, into: directory.path, now: 4_000_000_000)
        #expect(try Store(directory: directory.path).handover(plan: plan).revision == 4_000_000_000)
        #expect(directory.mode(of: "state.sqlite") == 0o600)
        #expect(directory.mode(of: "state.sqlite.before-restore") == 0o600)
    }

    /// A backup from before a revocation readmits a client, which is reported.
    @Test func whoIsAClientAgainIsTold() throws {
        do {
            let store = try Store(directory: directory.path)
            let id = try store.invite("a", uses: 9, plan: plan)
            for client in 1...3 { #expect(try store.enrol(id, client, plan: plan) == .stored) }
            try store.backup(to: copy)
            for name in ["a", "a-3"] { try store.revoke(name, plan: plan, now: Samples.now) }
            // Readmitted by another invitation: its earlier revocation no longer counts.
            let again = try store.invite("b", plan: plan)
            #expect(try store.enrol(again, 3, plan: plan) == .stored)
        }
        #expect(try Store.restore(copy, into: directory.path, now: 5) == ["a"])
        #expect(try names() == ["a", "a-2", "a-3"])
    }

    @Test func aDamagedStateIsReplaced() throws {
        do {
            let store = try Store(directory: directory.path)
            try store.invite("a", plan: plan)
            try store.backup(to: copy)
            try store.queue.close()
        }
        directory.file("state.sqlite", String(repeating: "rubbish", count: 1000))
        #expect(throws: ControlError.self) { try Store(directory: directory.path) }
        try Store.restore(copy, into: directory.path, now: 5)
        #expect(try Store(directory: directory.path).openInvitations(now: Samples.now).map(\.name) == ["a"])
    }

    @Test func whatIsNoBackupChangesNothing() throws {
        do {
            let store = try Store(directory: directory.path)
            let id = try store.invite("a", plan: plan)
            #expect(try store.enrol(id, 1, plan: plan) == .stored)
            try store.backup(to: directory.path + "/newer")
            try store.queue.close()
        }
        directory.file("text", "no backup")
        directory.file("empty", "")
        let foreign = try DatabaseQueue(path: directory.path + "/foreign")
        try foreign.write { try $0.execute(sql: "CREATE TABLE meta (a)") }
        try foreign.close()
        let newer = try DatabaseQueue(path: directory.path + "/newer")
        try newer.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99')") }
        try newer.close()
        for file in ["text", "empty", "foreign", "newer", "missing"] {
            #expect(throws: ControlError.self, "\(file)") {
                try Store.restore(directory.path + "/" + file, into: directory.path, now: 5)
            }
        }
        #expect(try names() == ["a"])
        #expect(directory.mode(of: "state.sqlite.before-restore") == 0)
        #expect(directory.mode(of: "copy-restore") == 0)
    }
}
