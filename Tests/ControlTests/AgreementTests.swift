import ControlProtocol
import Settings
import TestSupport
import Testing

@testable import Control

/// bondd-control follows the configuration that bondd has in force.
@Suite struct AgreementTests {
    let directory = TemporaryDirectory()
    var file: String { directory.path + "/bondd.toml" }
    static let networks = ["10.77.0.1/24", "fd77::1/64"]
    static let typo = ["10.77.1.1/24", "fd77::1/64"]

    /// Writes the file, and returns its digest.
    func write(_ networks: [String], extra: String = "") throws -> String {
        directory.file("bondd.toml", Samples.text(networks, extra: extra))
        return try ConfigurationFile(reading: file).digest
    }

    func makeService() throws -> ControlService {
        let store = try Store(directory: directory.path)
        let log = Log(level: .error, fileDescriptor: -1)
        let socket = directory.path + "/bondd.sock"
        let text = try ControlService.text(of: file, store: store, socket: socket, log: log)
        let configuration = try text.configuration(keys: .leave)
        guard case .server(let server) = configuration.role else { throw ControlError.refused("a client") }
        return try ControlService(
            store: store, plan: Plan(file: file, tunnel: configuration.tunnel, server: server), file: file,
            socket: socket, log: log, text: text)
    }

    func addresses(_ service: ControlService) throws -> [[String]] {
        try service.store.clients(plan: service.currentPlan).map(\.addresses)
    }

    @Test func eachStepFollowsFromWhatBonddHas() {
        func step(
            _ bondd: Agreement.Bondd, _ file: Agreement.File, own: String? = "a", kept: String? = "a",
            isAsked: Bool = true, isLate: Bool = false
        ) -> Agreement.Step {
            Agreement(bondd: bondd, own: own, file: file, kept: kept, isAsked: isAsked, isLate: isLate).step
        }
        func has(_ digest: String, refused: String? = nil) -> Agreement.Bondd {
            .has(
                ConfigurationStatus(
                    digest: digest, addresses: ["10.0.0.1/8"], refusedDigest: refused,
                    refusal: refused.map { _ in "no" }))
        }
        let same = Agreement.File(digest: "a", canReplace: true)
        let good = Agreement.File(digest: "b", canReplace: true)
        let other = Agreement.File(digest: "b", canReplace: false)
        let bad = Agreement.File(digest: "b", problem: "bad")
        for bondd in [.absent, .older, has("a")] as [Agreement.Bondd] {
            #expect(step(bondd, same) == .keep)
            #expect(step(bondd, bad) == .refuse("bad"))
            #expect(step(bondd, good, isAsked: false) == .keep)
        }
        #expect(step(.absent, good) == .takeFile && step(.absent, other) == .wait)
        #expect(step(.older, good) == .takeFile)
        #expect(step(.older, other) == .refuse("bondd applies it only after a restart"))
        // bondd has not read it yet, has refused it, has refused another, has it.
        #expect(step(has("a"), good) == .wait && step(has("a"), other) == .wait)
        #expect(step(has("a", refused: "b"), good) == .refuse("no"))
        #expect(step(has("a", refused: "c"), good) == .wait)
        #expect(step(has("b"), other) == .takeFile && step(has("b"), good, isAsked: false) == .takeFile)
        // bondd was not told to read it, but may do so at any time: the text is adopted here, and dropped once
        // bondd refuses it.
        #expect(step(has("a"), good, isLate: true) == .takeFile)
        #expect(step(has("a"), other, isLate: true) == .wait)
        for isAsked in [false, true] {
            #expect(step(has("a"), good, own: "b", isAsked: isAsked) == .keep)
            #expect(step(has("a", refused: "b"), good, own: "b", isAsked: isAsked) == .takeKept)
        }
        // It has neither of these, but the one that was in force here before.
        #expect(step(has("c"), other, kept: "c") == .takeKept)
        #expect(step(has("c"), other) == .borrow(["10.0.0.1/8"]))
        #expect(step(has("c"), good, isAsked: false) == .borrow(["10.0.0.1/8"]))
        #expect(step(has("c"), Agreement.File(problem: "gone")) == .borrow(["10.0.0.1/8"]))
    }

    /// Only bondd-control is told to read the file, or started with it: rules and clients take effect, as bondd
    /// may read the file at any time, until bondd refuses it.
    @Test func aFileThatBonddCanTakeNeedsNoReloadOfBondd() throws {
        let first = try write(Self.networks)
        let bondd = try FakeBondd(path: directory.path + "/bondd.sock")
        defer { bondd.stop() }
        bondd.with {
            $0.status.configuration = ConfigurationStatus(digest: first, addresses: Self.networks)
        }
        let service = try makeService()
        let second = try write(Self.networks, extra: Samples.client("desk", 900, "10.77.0.9"))
        service.reload()
        #expect(service.currentPlan.clients.isEmpty)
        #expect(eventually { service.awaitBondd() == () && service.currentPlan.clients.count == 1 })
        #expect(service.handOver() && bondd.with { $0.handovers.last?.configuration } == first)
        #expect(try self.makeService().currentPlan.clients.count == 1)
        bondd.with { state in
            state.status.configuration?.refusedDigest = second
            state.status.configuration?.refusal = "no key"
        }
        #expect(service.follow() && service.currentPlan.clients.isEmpty)
        #expect(try self.makeService().currentPlan.clients.isEmpty)
    }

    /// A typo in the server's address, a reload that bondd refuses, a restart of bondd-control with that file,
    /// and its correction: no client ever loses its address.
    @Test func aFileThatBonddRefusesThrowsNobodyOut() throws {
        let digest = try write(Self.networks)
        let bondd = try FakeBondd(path: directory.path + "/bondd.sock")
        defer { bondd.stop() }
        bondd.with { state in
            state.status.configuration = ConfigurationStatus(digest: digest, addresses: Self.networks)
            state.status.publicKey = Samples.server.base64
        }
        var service = try makeService()
        service.reload()
        let id = try service.store.invite(
            "boat", uses: 3, plan: service.currentPlan, now: currentTime())
        for client in 1...3 {
            #expect(
                try service.store.enrol(id, client, plan: service.currentPlan, now: currentTime()) == .stored)
        }
        let before = try addresses(service)
        #expect(service.handOver())
        let wrong = try write(Self.typo)
        // bondd has not read it yet, then it has refused it.
        for refused in [nil, wrong] {
            bondd.with { state in
                state.status.configuration?.refusedDigest = refused
                state.status.configuration?.refusal = refused.map { _ in "only with a restart" }
            }
            service.reload()
            #expect(try addresses(service) == before)
            #expect(service.handOver())
        }
        // Another bondd-control, started while the file is wrong.
        service = try self.makeService()
        #expect(service.isAgreed && service.currentPlan.tunnelAddresses.map(\.description) == Self.networks)
        #expect(try addresses(service) == before)
        #expect(service.handOver())
        #expect(Set(bondd.with { $0.handovers.map { $0.clients.map(\.addresses) } }) == [before])
        #expect(bondd.with { $0.handovers.last?.configuration } == digest)
        _ = try write(Self.networks)
        service.reload()
        #expect(try addresses(service) == before)
    }

    /// bondd is restarted with other networks, and again with those that it had.
    @Test func networksThatComeBackBringTheirAddressesBack() throws {
        let digests = [try write(Self.typo), try write(Self.networks)]
        let bondd = try FakeBondd(path: directory.path + "/bondd.sock")
        defer { bondd.stop() }
        bondd.with {
            $0.status.configuration = ConfigurationStatus(digest: digests[1], addresses: Self.networks)
        }
        let service = try makeService()
        let id = try service.store.invite(
            "boat", uses: 2, plan: service.currentPlan, now: currentTime())
        for client in 1...2 {
            _ = try service.store.enrol(id, client, plan: service.currentPlan, now: currentTime())
        }
        let before = try addresses(service)
        #expect(before == [["10.77.0.2", "fd77::2"], ["10.77.0.3", "fd77::3"]])
        _ = try write(Self.typo)
        bondd.with {
            $0.status.configuration = ConfigurationStatus(digest: digests[0], addresses: Self.typo)
        }
        #expect(service.follow())
        #expect(try addresses(service) == [["10.77.1.2", "fd77::2"], ["10.77.1.3", "fd77::3"]])
        #expect(bondd.with { $0.handovers.last?.clients.first?.addresses } == ["10.77.1.2", "fd77::2"])
        // A client never gets an address that belongs to another.
        _ = try service.store.invite("van", plan: service.currentPlan, now: currentTime())
        _ = try write(Self.networks)
        bondd.with {
            $0.status.configuration = ConfigurationStatus(digest: digests[1], addresses: Self.networks)
        }
        #expect(service.follow())
        #expect(try addresses(service) == before)
    }

    /// bondd's text is neither the file nor the one in force here: bondd's networks are used.
    @Test func unknownTextsLeaveBonddItsNetworks() throws {
        _ = try write(Self.typo)
        let bondd = try FakeBondd(path: directory.path + "/bondd.sock")
        defer { bondd.stop() }
        bondd.with {
            $0.status.configuration = ConfigurationStatus(digest: "0123", addresses: Self.networks)
        }
        let service = try makeService()
        #expect(service.currentPlan.tunnelAddresses.map(\.description) == Self.networks)
    }

    /// While bondd is away, the decision waits for it.
    @Test func whileBonddIsAwayNoNetworkChanges() throws {
        _ = try write(Self.networks)
        let service = try makeService()
        let id = try service.store.invite("boat", plan: service.currentPlan, now: currentTime())
        _ = try service.store.enrol(id, 1, plan: service.currentPlan, now: currentTime())
        let digest = try write(Self.typo)
        service.reload()
        #expect(try addresses(service) == [["10.77.0.2", "fd77::2"]])
        #expect(!service.handOver())
        let bondd = try FakeBondd(path: directory.path + "/bondd.sock")
        defer { bondd.stop() }
        bondd.with { $0.status.configuration = ConfigurationStatus(digest: digest, addresses: Self.typo) }
        #expect(service.handOver())
        #expect(bondd.with { $0.handovers.last?.clients.first?.addresses } == ["10.77.1.2", "fd77::2"])
    }

    /// Clients revoked in bondd without bondd-control are revoked in the state.
    @Test func revocationsAtBonddAreTakenOver() throws {
        let digest = try write(Self.networks)
        let bondd = try FakeBondd(path: directory.path + "/bondd.sock")
        defer { bondd.stop() }
        bondd.with { state in
            state.status.configuration = ConfigurationStatus(digest: digest, addresses: Self.networks)
            state.revoked = [Samples.key(2)]
        }
        let service = try makeService()
        let id = try service.store.invite(
            "boat", uses: 5, plan: service.currentPlan, now: currentTime())
        for client in 1...3 {
            _ = try service.store.enrol(id, client, plan: service.currentPlan, now: currentTime())
        }
        #expect(service.handOver())
        #expect(bondd.with { $0.handovers.last?.clients.map(\.name) } == ["boat", "boat-3"])
        #expect(try service.store.clients(plan: service.currentPlan).map(\.name) == ["boat", "boat-3"])
        #expect(try service.store.openInvitations(now: currentTime()).isEmpty)
    }
}
