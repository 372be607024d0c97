import Packet
import Proto
import Testing

@testable import Engine

@Suite struct EnrolmentTests {
    /// A server with an invitation, and the host that holds it.
    private struct Party {
        let world: World
        let secret: [UInt8]
        let wanted = PrivateKey(bytes: Array(repeating: 3, count: 32)).publicKey

        init(seed: UInt64, serverKnows: Bool = true, wrong: Bool = false) throws {
            world = try World(clients: [["100/10", "50/30"]], seed: seed, attached: false)
            secret = (0..<20).map { UInt8(truncatingIfNeeded: seed) &+ $0 }
            let server = PrivateKey(bytes: world.serverKey).publicKey
            let keys = InvitationKeys(secret: secret, server: server)
            var invitation = EngineConfiguration.Peer(
                name: "invitation 7", publicKey: keys.privateKey.publicKey, presharedKey: keys.presharedKey)
            invitation.kind = .invitation(id: 7)
            world.server.engine.replacePeers(world.peers + (serverKnows ? [invitation] : []))
            let held = InvitationKeys(secret: wrong ? secret.reversed() : secret, server: server)
            var configuration = EngineConfiguration(
                role: .client,
                peers: [.init(name: "server", publicKey: server, presharedKey: held.presharedKey)],
                poolCapacity: 64)
            configuration.enrolment = .init(publicKey: wanted, host: "boat")
            world.clients[0].engine = Engine(
                configuration, staticKey: held.privateKey, seed: Array(repeating: 9, count: 32))
            world.attach(0)
        }

        /// The enrolment requests seen by the server.
        var wishes: [PublicKey] {
            world.server.events.compactMap { event in
                if case .enrolment(7, let key, "boat") = event { key } else { nil }
            }
        }

        var outcomes: [EnrolOutcome] {
            world.clients[0].events.compactMap { event in
                if case .enrolled(let outcome) = event { outcome } else { nil }
            }
        }
    }

    @Test func whoHoldsAnInvitationSaysAKeyUntilItIsSettled() throws {
        let party = try Party(seed: 1)
        party.world.run(for: .milliseconds(2200))
        // Repeated every half second, as none was settled.
        #expect((4...6).contains(party.wishes.count) && party.wishes.allSatisfy { $0 == party.wanted })
        #expect(party.outcomes.isEmpty)
        party.world.server.engine.settle(
            invitation: 7, publicKey: party.wanted, outcome: .stored)
        party.world.run(for: .milliseconds(200))
        #expect(party.outcomes == [.stored])
        let asked = party.wishes.count
        party.world.run(for: .seconds(3))
        #expect(party.wishes.count == asked && party.outcomes == [.stored])
    }

    /// A dead path is probed as often as an enrolment request is sent, and must not take the request along.
    @Test(arguments: 20...27 as ClosedRange<UInt64>) func aDeadPathTakesNoWishAlong(seed: UInt64) throws {
        let party = try Party(seed: seed)
        party.world.link(1).isDown = true
        party.world.run(for: .seconds(8))
        #expect(party.wishes.count >= 12, "seed \(seed)")
    }

    /// Its session only serves enrolment, and is short; an unsettled host comes again.
    @Test func anInvitationCarriesNothingAndItsSessionEnds() throws {
        let party = try Party(seed: 1)
        let world = party.world
        world.run(for: .seconds(1))
        let session = try #require(world.server.session(1))
        let insider = Insider(world)
        let before = world.server.drops.foreignSource
        let (mode, owed) = (session.pointee.mode, session.pointee.owed.assignment)
        // A test packet, which needs no address.
        insider.send(.data, [0, 0, 0, Shim.test] + [UInt8](repeating: 0, count: 200), sequence: 5)
        #expect(world.server.drops.foreignSource == before + 1 && session.pointee.owed.bench.received == 0)
        insider.send(
            .control,
            Insider.payload([
                .pathStatus(PathStatusFrame(pathID: 1, role: 3, down: true, capMbit: 1)),
                .mode(ModeFrame(mode: mode.rawValue == 2 ? 3 : 2, redundantPaths: 1)), .assignRequest,
                .bench(BenchFrame(milliseconds: 500)),
            ]))
        #expect(session.pointee.paths[0].pointee.role == .primary && session.pointee.mode == mode)
        #expect(session.pointee.owed.assignment == owed && session.pointee.owed.bench.sendsUntil == .zero)
        world.run(for: .seconds(28))
        #expect(world.server.closed == 0)
        world.run(for: .seconds(3))
        #expect(world.server.closed == 1 && world.server.established(continuing: false) >= 2)
        let wishes = party.wishes.count
        world.run(for: .seconds(2))
        #expect(party.wishes.count >= wishes + 3)
    }

    /// Half of all datagrams are lost, in both directions.
    @Test(arguments: 2...5 as ClosedRange<UInt64>) func lossesDelayItOnly(seed: UInt64) throws {
        let party = try Party(seed: seed)
        var state = seed
        party.world.onWire = { _, _, _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 63 == 0
        }
        var settled = 0
        for _ in 0..<200 where party.outcomes.isEmpty {
            party.world.run(for: .milliseconds(100))
            guard party.wishes.count > settled else { continue }
            settled = party.wishes.count
            party.world.server.engine.settle(
                invitation: 7, publicKey: party.wanted, outcome: .used)
        }
        #expect(party.outcomes == [.used], "seed \(seed)")
    }

    /// Another host enrols with the same invitation at the same time: its outcome is not ours.
    @Test func anotherKeysOutcomeIsNotOurs() throws {
        let party = try Party(seed: 6)
        party.world.run(for: .seconds(1))
        let other = PrivateKey(bytes: Array(repeating: 4, count: 32)).publicKey
        party.world.server.engine.settle(invitation: 7, publicKey: other, outcome: .stored)
        party.world.run(for: .seconds(1))
        #expect(party.outcomes.isEmpty && party.wishes.count >= 2)
    }

    @Test func whatCouldNotBeStoredIsAskedAgain() throws {
        let party = try Party(seed: 7)
        party.world.run(for: .milliseconds(300))
        let asked = party.wishes.count
        party.world.server.engine.settle(
            invitation: 7, publicKey: party.wanted, outcome: .unavailable)
        party.world.run(for: .milliseconds(1500))
        #expect(party.outcomes == [.unavailable] && party.wishes.count == asked)
        party.world.run(for: .milliseconds(1000))
        #expect(party.wishes.count > asked)
    }

    /// An invitation permits nothing else: no packet passes, and no session is shown.
    @Test func anInvitationCarriesNothing() throws {
        let party = try Party(seed: 8)
        party.world.run(for: .seconds(1))
        #expect(party.world.server.engine.reports(now: party.world.now).isEmpty)
        let traffic = Traffic(party.world).add(from: 0, every: .milliseconds(10))
        traffic.run(for: .seconds(1))
        #expect(party.world.server.flows.total.count == 0)
        #expect(party.world.server.drops.foreignSource > 50)
    }

    /// A client's own session cannot enrol another host.
    @Test func aClientInvitesNobody() throws {
        let world = try World(clients: [["100/10"]], seed: 9, attached: false)
        let server = PrivateKey(bytes: world.serverKey).publicKey
        var configuration = EngineConfiguration(
            role: .client, peers: [.init(name: "server", publicKey: server)], poolCapacity: 64)
        configuration.enrolment = .init(publicKey: server, host: "boat")
        world.clients[0].engine = Engine(
            configuration, staticKey: PrivateKey(bytes: world.clientKeys[0]),
            seed: Array(repeating: 9, count: 32))
        world.attach(0)
        world.run(for: .seconds(3))
        #expect(world.server.established(continuing: false) == 1)
        #expect(!world.server.events.contains { if case .enrolment = $0 { true } else { false } })
    }

    @Test func aStrangerIsToldSoAndNoMore() throws {
        for wrong in [false, true] {
            let party = try Party(seed: 10, serverKnows: wrong, wrong: wrong)
            party.world.run(for: .seconds(5))
            let refusals = party.world.clients[0].events.count {
                if case .keyRefused = $0 { true } else { false }
            }
            #expect(refusals == 1 && party.wishes.isEmpty)
            #expect(party.world.server.drops.unknownKey >= 4)
            #expect(party.world.server.established(continuing: false) == 0)
        }
    }

    /// The second host's clock is behind the first's: several hosts may use one invitation.
    @Test func clocksOfHostsWithOneInvitationMayDiffer() throws {
        let party = try Party(seed: 11)
        party.world.run(for: .seconds(1))
        #expect(!party.wishes.isEmpty)
        let key = PrivateKey(bytes: Array(repeating: 5, count: 32)).publicKey
        let server = PrivateKey(bytes: party.world.serverKey).publicKey
        let keys = InvitationKeys(secret: party.secret, server: server)
        var configuration = EngineConfiguration(
            role: .client,
            peers: [.init(name: "server", publicKey: server, presharedKey: keys.presharedKey)],
            poolCapacity: 64)
        configuration.enrolment = .init(publicKey: key, host: "boat")
        party.world.clients[0].engine = Engine(
            configuration, staticKey: keys.privateKey, seed: Array(repeating: 8, count: 32))
        party.world.clients[0].wallOffset = -100_000
        party.world.attach(0)
        party.world.run(for: .seconds(1))
        #expect(party.wishes.contains(key))
    }
}
