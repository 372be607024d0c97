import Messages
import Scratch
import Settings
import Testing

@testable import Gateway

/// bondd-control goes by the configuration that bondd has.
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

    func gateway() throws -> Gateway {
        let store = try Store(directory: directory.path)
        let log = Log(level: .error, fileDescriptor: -1)
        let socket = directory.path + "/bondd.sock"
        let text = try Gateway.text(of: file, store: store, socket: socket, log: log)
        let configuration = try text.configuration(keys: .leave)
        guard case .server(let server) = configuration.role else { throw GatewayError.refused("a client") }
        return try Gateway(
            store: store, plan: Plan(file: file, tunnel: configuration.tunnel, server: server), file: file,
            socket: socket, log: log, text: text)
    }

    func addresses(_ gateway: Gateway) throws -> [[String]] {
        try gateway.store.clients(plan: gateway.currentPlan).map(\.addresses)
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
        #expect(step(.older, other) == .refuse("bondd takes it with a restart alone"))
        // bondd has not read it yet, has refused it, has refused another, has it.
        #expect(step(has("a"), good) == .wait && step(has("a"), other) == .wait)
        #expect(step(has("a", refused: "b"), good) == .refuse("no"))
        #expect(step(has("a", refused: "c"), good) == .wait)
        #expect(step(has("b"), other) == .takeFile && step(has("b"), good, isAsked: false) == .takeFile)
        // bondd was not told to read it: what it can take any time is taken here, and left when it is refused.
        #expect(step(has("a"), good, isLate: true) == .takeFile)
        #expect(step(has("a"), other, isLate: true) == .wait)
        for isAsked in [false, true] {
            #expect(step(has("a"), good, own: "b", isAsked: isAsked) == .keep)
            #expect(step(has("a", refused: "b"), good, own: "b", isAsked: isAsked) == .takeKept)
        }
        // It has neither this nor that, but what was in force here before.
        #expect(step(has("c"), other, kept: "c") == .takeKept)
        #expect(step(has("c"), other) == .borrow(["10.0.0.1/8"]))
        #expect(step(has("c"), good, isAsked: false) == .borrow(["10.0.0.1/8"]))
        #expect(step(has("c"), Agreement.File(problem: "gone")) == .borrow(["10.0.0.1/8"]))
    }

    /// bondd-control alone is told to read the file, or started with it: rules and clients take effect, as bondd can take the file
    /// any time, until bondd refuses it.
    @Test func aFileThatBonddCanTakeNeedsNoReloadOfBondd() throws {
        let first = try write(Self.networks)
        let bondd = try FakeBondd(path: directory.path + "/bondd.sock")
        defer { bondd.stop() }
        bondd.with {
            $0.status.configuration = ConfigurationStatus(digest: first, addresses: Self.networks)
        }
        let gateway = try gateway()
        let second = try write(Self.networks, extra: Samples.client("desk", 900, "10.77.0.9"))
        gateway.reload()
        #expect(gateway.currentPlan.clients.isEmpty)
        #expect(eventually { gateway.awaitBondd() == () && gateway.currentPlan.clients.count == 1 })
        #expect(gateway.handOver() && bondd.with { $0.handovers.last?.configuration } == first)
        #expect(try self.gateway().currentPlan.clients.count == 1)
        bondd.with { state in
            state.status.configuration?.refusedDigest = second
            state.status.configuration?.refusal = "no key"
        }
        #expect(gateway.follow() && gateway.currentPlan.clients.isEmpty)
        #expect(try self.gateway().currentPlan.clients.isEmpty)
    }

    /// A typo in the server's address, a reload that bondd refuses, a restart of bondd-control with that file, and the file put
    /// right again: no client loses its address at any moment.
    @Test func aFileThatBonddRefusesThrowsNobodyOut() throws {
        let digest = try write(Self.networks)
        let bondd = try FakeBondd(path: directory.path + "/bondd.sock")
        defer { bondd.stop() }
        bondd.with { state in
            state.status.configuration = ConfigurationStatus(digest: digest, addresses: Self.networks)
            state.status.publicKey = Samples.server.base64
        }
        var gateway = try gateway()
        gateway.reload()
        let id = try gateway.store.invite(
            "boat", uses: 3, plan: gateway.currentPlan, now: currentTime())
        for client in 1...3 {
            #expect(
                try gateway.store.enrol(id, client, plan: gateway.currentPlan, now: currentTime()) == .stored)
        }
        let before = try addresses(gateway)
        #expect(gateway.handOver())
        let wrong = try write(Self.typo)
        // bondd has not read it yet, then it has refused it.
        for refused in [nil, wrong] {
            bondd.with { state in
                state.status.configuration?.refusedDigest = refused
                state.status.configuration?.refusal = refused.map { _ in "only with a restart" }
            }
            gateway.reload()
            #expect(try addresses(gateway) == before)
            #expect(gateway.handOver())
        }
        // Another bondd-control, of a start while the file is wrong.
        gateway = try self.gateway()
        #expect(gateway.isAgreed && gateway.currentPlan.tunnelAddresses.map(\.description) == Self.networks)
        #expect(try addresses(gateway) == before)
        #expect(gateway.handOver())
        #expect(Set(bondd.with { $0.handovers.map { $0.clients.map(\.addresses) } }) == [before])
        #expect(bondd.with { $0.handovers.last?.configuration } == digest)
        _ = try write(Self.networks)
        gateway.reload()
        #expect(try addresses(gateway) == before)
    }

    /// bondd is restarted with other networks, and again with those that it had.
    @Test func networksThatComeBackBringTheirAddressesBack() throws {
        let digests = [try write(Self.typo), try write(Self.networks)]
        let bondd = try FakeBondd(path: directory.path + "/bondd.sock")
        defer { bondd.stop() }
        bondd.with {
            $0.status.configuration = ConfigurationStatus(digest: digests[1], addresses: Self.networks)
        }
        let gateway = try gateway()
        let id = try gateway.store.invite(
            "boat", uses: 2, plan: gateway.currentPlan, now: currentTime())
        for client in 1...2 {
            _ = try gateway.store.enrol(id, client, plan: gateway.currentPlan, now: currentTime())
        }
        let before = try addresses(gateway)
        #expect(before == [["10.77.0.2", "fd77::2"], ["10.77.0.3", "fd77::3"]])
        _ = try write(Self.typo)
        bondd.with {
            $0.status.configuration = ConfigurationStatus(digest: digests[0], addresses: Self.typo)
        }
        #expect(gateway.follow())
        #expect(try addresses(gateway) == [["10.77.1.2", "fd77::2"], ["10.77.1.3", "fd77::3"]])
        #expect(bondd.with { $0.handovers.last?.clients.first?.addresses } == ["10.77.1.2", "fd77::2"])
        // Nobody gets what is another's by right.
        _ = try gateway.store.invite("van", plan: gateway.currentPlan, now: currentTime())
        _ = try write(Self.networks)
        bondd.with {
            $0.status.configuration = ConfigurationStatus(digest: digests[1], addresses: Self.networks)
        }
        #expect(gateway.follow())
        #expect(try addresses(gateway) == before)
    }

    /// What bondd has is neither the file nor what was in force here: its networks are gone by.
    @Test func unknownTextsLeaveBonddItsNetworks() throws {
        _ = try write(Self.typo)
        let bondd = try FakeBondd(path: directory.path + "/bondd.sock")
        defer { bondd.stop() }
        bondd.with {
            $0.status.configuration = ConfigurationStatus(digest: "0123", addresses: Self.networks)
        }
        let gateway = try gateway()
        #expect(gateway.currentPlan.tunnelAddresses.map(\.description) == Self.networks)
    }

    /// A bondd that is away decides when it comes.
    @Test func whileBonddIsAwayNoNetworkChanges() throws {
        _ = try write(Self.networks)
        let gateway = try gateway()
        let id = try gateway.store.invite("boat", plan: gateway.currentPlan, now: currentTime())
        _ = try gateway.store.enrol(id, 1, plan: gateway.currentPlan, now: currentTime())
        let digest = try write(Self.typo)
        gateway.reload()
        #expect(try addresses(gateway) == [["10.77.0.2", "fd77::2"]])
        #expect(!gateway.handOver())
        let bondd = try FakeBondd(path: directory.path + "/bondd.sock")
        defer { bondd.stop() }
        bondd.with { $0.status.configuration = ConfigurationStatus(digest: digest, addresses: Self.typo) }
        #expect(gateway.handOver())
        #expect(bondd.with { $0.handovers.last?.clients.first?.addresses } == ["10.77.1.2", "fd77::2"])
    }

    /// Clients that were revoked at bondd, without bondd-control, are revoked in the state.
    @Test func revocationsAtBonddAreTakenOver() throws {
        let digest = try write(Self.networks)
        let bondd = try FakeBondd(path: directory.path + "/bondd.sock")
        defer { bondd.stop() }
        bondd.with { state in
            state.status.configuration = ConfigurationStatus(digest: digest, addresses: Self.networks)
            state.revoked = [Samples.key(2)]
        }
        let gateway = try gateway()
        let id = try gateway.store.invite(
            "boat", uses: 5, plan: gateway.currentPlan, now: currentTime())
        for client in 1...3 {
            _ = try gateway.store.enrol(id, client, plan: gateway.currentPlan, now: currentTime())
        }
        #expect(gateway.handOver())
        #expect(bondd.with { $0.handovers.last?.clients.map(\.name) } == ["boat", "boat-3"])
        #expect(try gateway.store.clients(plan: gateway.currentPlan).map(\.name) == ["boat", "boat-3"])
        #expect(try gateway.store.openInvitations(now: currentTime()).isEmpty)
    }
}
