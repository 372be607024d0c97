import ControlProtocol
import GRDB
import Glibc
import TestSupport
import Testing

@testable import Control

/// Full disks, and invalid files.
@Suite struct FailureTests {
    let directory = TemporaryDirectory()
    var path: String { directory.path + "/state.sqlite" }

    func error(_ body: () throws -> Void) -> ControlError? {
        do {
            try body()
            return nil
        } catch {
            return error as? ControlError
        }
    }

    @Test func aFullDiskLeavesTheStateAsItWas() throws {
        let store = try Store(directory: directory.path)
        let plan = try Samples.plan()
        let id = try store.invite("a", uses: 1000, plan: plan)
        #expect(try store.enrol(id, 1, plan: plan) == .stored)
        // No more pages than there are: SQLite reports the same as for a full disk.
        try store.queue.writeWithoutTransaction { db in
            let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            try db.execute(sql: "PRAGMA max_page_count = \(pages)")
        }
        var stored = 1
        var failure: ControlError?
        while failure == nil && stored < 250 {
            failure = error { _ = try store.enrol(id, stored + 1, plan: plan) }
            if failure == nil { stored += 1 }
        }
        #expect(failure == .diskFull(path: path) && store.writeFailures == 1)
        #expect(try store.handover(plan: plan).clients.count == stored)
        #expect(try store.openInvitations(now: Samples.now)[0].usesLeft == 1000 - stored)
        #expect(failure?.description.contains("is full; tunnels keep running") == true)
        // There is room again.
        try store.queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = 100000") }
        #expect(try store.enrol(id, stored + 1, plan: plan) == .stored)
    }

    @Test func whatCannotBeWrittenIsSaid() throws {
        let store = try Store(directory: directory.path)
        let plan = try Samples.plan()
        try store.queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA query_only = 1") }
        let failure = error { try store.invite("a", plan: plan) }
        guard case .unusable? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(store.writeFailures == 1)
    }

    @Test func whatIsNoStateIsRefused() throws {
        directory.file("state.sqlite", String(repeating: "this is no database ", count: 300))
        let failure = error { _ = try Store(directory: directory.path) }
        guard case .damaged? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(failure?.description.contains("bondd-control restore FILE") == true)
        #expect(error { _ = try Store(directory: "/proc/nowhere") } != nil)
    }

    @Test func aHoleInTheFileIsNoticed() throws {
        do {
            let store = try Store(directory: directory.path)
            try store.invite("a", uses: 1000, plan: Samples.plan())
            try store.queue.close()
        }
        let file = open(path, O_RDWR | O_CLOEXEC)
        let rubbish = [UInt8](repeating: 0xAA, count: 4096)
        for page in 1...8 { pwrite(file, rubbish, rubbish.count, off_t(page * 4096)) }
        close(file)
        let failure = error { _ = try Store(directory: directory.path) }
        guard case .damaged? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }

    @Test func aLaterVersionsStateIsLeftAlone() throws {
        do {
            let store = try Store(directory: directory.path)
            try store.queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99')") }
            try store.queue.close()
        }
        #expect(error { _ = try Store(directory: directory.path) } == .newer(path: path))
    }

    @Test func oneBonddControlAState() throws {
        let lock = try StateLock(directory: directory.path + "/control", instead: "do that")
        #expect(directory.mode(of: "control") == 0o700)
        #expect(
            error { _ = try StateLock(directory: directory.path + "/control", instead: "do that") }
                == .running(directory: directory.path + "/control", "do that"))
        withExtendedLifetime(lock) {}
        unlink(directory.path + "/control/lock")
    }
}
