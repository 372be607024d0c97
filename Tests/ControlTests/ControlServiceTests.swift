import ControlProtocol
import GRDB
import Glibc
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Control

/// A service in this process with a fake bondd.
@Suite struct ControlServiceTests {
    let directory = TemporaryDirectory()
    let service: ControlService
    let plan: Plan
    var socket: String { directory.path + "/bondd.sock" }

    init() throws {
        plan = try Samples.plan(extra: Samples.client("desk", 900, "10.77.0.2"))
        directory.file("bondd.toml", Samples.text(extra: Samples.client("desk", 900, "10.77.0.2")))
        service = try ControlService(
            store: Store(directory: directory.path), plan: plan, file: directory.path + "/bondd.toml",
            socket: directory.path + "/bondd.sock", log: Log(level: .error, fileDescriptor: -1))
    }

    func invite(_ name: String) throws -> JoinLink {
        guard case .link(let text) = service.answer(.invite(InvitationOrder(name: name))) else {
            throw ControlError.refused("no link")
        }
        return try JoinLink(text)
    }

    @Test func whoeverIsStoredIsHandedOverBeforeThatIsSaid() throws {
        let bondd = try FakeBondd(path: socket)
        defer { bondd.stop() }
        let early = Mutex(0)
        bondd.with { state in
            state.status.publicKey = Samples.server.base64
            state.onSettle = { [path = directory.path, plan] enrolment, _ in
                // Already in the state and handed to bondd.
                let store = try? Store(directory: path)
                let stored = try? store?.handover(plan: plan).clients.map(\.publicKey)
                if stored?.contains(enrolment.publicKey) != true { early.withLock { $0 += 1 } }
            }
        }
        #expect(service.answer(.setEndpoints(["203.0.113.7:5000"])) == .ok)
        let link = try invite("boat")
        #expect(link.server == Samples.server)
        Thread.detach { [service] in service.letIn() }
        let id = try #require(bondd.with { $0.handovers.last?.invitations.first?.id })
        bondd.enrol(Samples.key(1), by: id)
        #expect(eventually { bondd.with { !$0.settled.isEmpty } })
        let handed = bondd.with { $0.handovers.last?.clients.map(\.name) }
        #expect(handed == ["boat"] && early.withLock { $0 } == 0)
        #expect(bondd.with { $0.settled.map(\.outcome) } == [.stored])
        bondd.enrol(Samples.key(1), by: id)
        bondd.enrol(Samples.key(2), by: id)
        #expect(eventually { bondd.with { $0.settled.count == 3 } })
        #expect(Set(bondd.with { $0.settled.map(\.outcome) }) == [.stored, .used])
        service.stop()
        #expect(bondd.with { $0.refused } == 0)
    }

    @Test func bonddHearsOfEveryChangeAtOnce() throws {
        let bondd = try FakeBondd(path: socket)
        defer { bondd.stop() }
        bondd.with { $0.status.publicKey = Samples.server.base64 }
        _ = service.answer(.setEndpoints(["203.0.113.7:5000"]))
        _ = try invite("boat")
        let id = try #require(bondd.with { $0.handovers.last?.invitations.first?.id })
        #expect(try service.store.enrol(id, 1, plan: plan, now: currentTime()) == .stored)
        #expect(service.answer(.rename(from: "boat", to: "ship")) == .ok)
        #expect(bondd.with { $0.handovers.last?.clients.map(\.name) } == ["ship"])
        let session = SessionStatus(client: "ship", address: "", state: "up", mode: "auto", rekeyAge: 1)
        bondd.with { $0.status.sessions = [session] }
        guard case .clients(let clients, _) = service.answer(.clients) else {
            Issue.record("no clients")
            return
        }
        #expect(clients.map(\.name) == ["desk", "ship"] && clients.map(\.isUp) == [false, true])
        #expect(service.answer(.revoke(name: "ship")) == .ok)
        #expect(bondd.with { $0.handovers.last?.clients } == [])
        guard case .failed(let sentence) = service.answer(.revoke(name: "ship")) else {
            Issue.record("revoked twice")
            return
        }
        #expect(sentence == "there is no client \"ship\"; bondd clients lists them")
        let revisions = bondd.with { $0.handovers.map(\.revision) }
        #expect(revisions == revisions.sorted())
    }

    @Test func bonddMayComeAndGo() throws {
        Thread.detach { [service] in service.letIn() }
        Thread.detach { [service] in service.count(every: 0.2) }
        defer { service.stop() }
        guard case .failed(let sentence) = service.answer(.invite(InvitationOrder(name: "boat"))) else {
            Issue.record("a link without a key")
            return
        }
        #expect(sentence.contains("the server's public key is not known yet"))
        for run in ["1", "2"] {
            let bondd = try FakeBondd(path: socket)
            bondd.with { state in
                state.status.publicKey = Samples.server.base64
                state.usage.run = run
                state.usage.paths = [
                    PathUsage(publicKey: Samples.key(900), path: "a", sentBytes: 100, receivedBytes: 1)
                ]
            }
            #expect(eventually { bondd.with { !$0.handovers.isEmpty } })
            #expect(eventually { (try? service.store.usage().first?.sentBytes) == (run == "1" ? 100 : 200) })
            bondd.stop()
        }
        // The key is stored, and the handover that fails now will be retried.
        _ = service.answer(.setEndpoints(["203.0.113.7:5000"]))
        _ = try invite("boat")
        #expect(!service.bonddIsCurrent)
        let bondd = try FakeBondd(path: socket)
        defer { bondd.stop() }
        #expect(eventually { bondd.with { $0.handovers.last?.invitations.count == 1 } })
        #expect(eventually { service.bonddIsCurrent })
    }

    @Test func theFileIsReadAgain() throws {
        directory.file("bondd.toml", "nonsense")
        service.reload()
        #expect(try service.store.clients(plan: service.currentPlan).map(\.name) == ["desk"])
        directory.file("bondd.toml", Samples.text(extra: Samples.client("shelf", 900, "10.77.0.2")))
        service.reload()
        #expect(try service.store.clients(plan: service.currentPlan).map(\.name) == ["shelf"])
    }

    /// If the clock is behind the state, no invitation is removed or created.
    @Test func aClockThatIsBehindIsNotTrusted() throws {
        let now = currentTime()
        _ = service.answer(.setEndpoints(["203.0.113.7:5000"]))
        try service.store.setServerKey(Samples.server.base64)
        try service.store.invite("old", lifetime: 60, plan: plan, now: now - 400 * 86400)
        #expect(try service.store.latestTime() == now - 400 * 86400)
        // Made while the clock was ahead.
        try service.store.invite("new", plan: plan, now: now + 10 * 86400)
        #expect(try !service.prune())
        #expect(try service.store.handover(plan: plan).invitations.count == 2)
        guard case .failed(let sentence) = service.answer(.invite(InvitationOrder(name: "boat"))) else {
            Issue.record("an invitation by a clock that is behind")
            return
        }
        #expect(sentence.contains("this host's clock is behind"), "\(sentence)")
        try service.store.write { try $0.execute(sql: "DELETE FROM invitations WHERE name = 'new'") }
        #expect(try service.prune())
        #expect(try service.store.handover(plan: plan).invitations.isEmpty)
        _ = try invite("boat")
    }

    @Test func whenNothingCanBeStoredThatIsSaid() throws {
        let bondd = try FakeBondd(path: socket)
        defer { bondd.stop() }
        let id = try service.store.invite("boat", plan: plan, now: currentTime())
        try service.store.queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA query_only = 1") }
        bondd.enrol(Samples.key(1), by: id)
        service.settle(bondd.with { Array($0.waiting.values) })
        #expect(bondd.with { $0.settled.map(\.outcome) } == [.unavailable])
    }
}
