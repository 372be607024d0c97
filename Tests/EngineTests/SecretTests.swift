import Packet
import Proto
import Testing

@testable import Engine

@Suite struct SecretTests {
    private func root(_ generation: UInt32) -> RootSecret {
        let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: generation), count: 32)
        return RootSecret(generation: generation, base64: PresharedKey(bytes: bytes).base64)!
    }

    /// A server with these generations, and a client that was given keys of them, the newest first.
    private func world(
        roots: [UInt32], client generations: [UInt32], configured: PresharedKey = .none, seed: UInt64
    ) throws -> World {
        let world = try World(clients: [["100/10"]], seed: seed, sharedKey: configured, attached: false)
        world.server.engine.replaceRoots(RootSecrets(roots.map(root)), now: world.now)
        let key = PrivateKey(bytes: world.clientKeys[0])
        let publicKey = key.publicKey
        var configuration = EngineConfiguration(
            role: .client,
            peers: [
                .init(
                    name: "server", publicKey: PrivateKey(bytes: world.serverKey).publicKey,
                    presharedKey: configured)
            ], mode: .stripe, poolCapacity: 8192)
        configuration.secrets = ClientSecrets(generations.map { ClientSecret(root($0), client: publicKey) })
        world.clients[0].engine = Engine(
            configuration, staticKey: key, seed: World.seedBytes(seed, 99))
        world.attach(0)
        world.run(for: .seconds(2))
        return world
    }

    /// The preshared key of the session at each end; empty without a session.
    private func inUse(_ world: World) -> [SharedSecret] {
        [world.server, world.clients[0]].flatMap { $0.engine.reports(now: world.now).map(\.secret) }
    }

    private func given(_ world: World) -> [ClientSecret] {
        world.clients[0].events.compactMap { if case .secret(let secret) = $0 { secret } else { nil } }
    }

    @Test(arguments: [[5], [6, 5], [5, 4]] as [[UInt32]])
    func aGivenKeyIsUsed(_ roots: [UInt32]) throws {
        let world = try world(roots: roots, client: [5], seed: 1)
        #expect(inUse(world) == [.given(generation: 5), .given(generation: 5)])
        #expect(given(world).map(\.generation).allSatisfy { $0 == roots[0] })
        #expect(given(world).isEmpty == (roots[0] == 5))
    }

    /// Of an earlier version, or enrolled before there were secrets: no client is locked out, and none gets a
    /// key in a session that may have been recorded.
    @Test(arguments: [[], [5]] as [[UInt32]])
    func clientsWithoutOneConnectAsBefore(_ roots: [UInt32]) throws {
        let world = try world(roots: roots, client: [], seed: 2)
        #expect(inUse(world) == [.none, .none])
        world.server.engine.replaceRoots(RootSecrets([root(6)]), now: world.now)
        world.run(for: .seconds(5))
        #expect(given(world).isEmpty && inUse(world) == [.none, .none])
    }

    @Test func theConfigurationsKeyCountsAlone() throws {
        let world = try world(
            roots: [5], client: [5], configured: PresharedKey(bytes: Array(repeating: 9, count: 32)), seed: 3)
        #expect(inUse(world) == [.configured, .configured])
    }

    /// A rotation during traffic: the key arrives within the session, is used from the next handshake on, and
    /// nothing is lost.
    @Test func aRotationLosesNothing() throws {
        let world = try world(roots: [5], client: [5], seed: 4)
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(10)).add(
            from: -1, every: .milliseconds(10))
        traffic.run(for: .seconds(1))
        world.server.engine.replaceRoots(RootSecrets([root(5), root(6)]), now: world.now)
        world.settle(-1)
        traffic.run(for: .milliseconds(100))
        let new = try #require(given(world).first)
        #expect(new.generation == 6)
        world.clients[0].engine.keep(new)
        world.settle(0)
        traffic.run(for: .seconds(130))
        #expect(given(world).count == 1)
        #expect(inUse(world) == [.given(generation: 6), .given(generation: 6)])
        #expect(world.clients[0].established(continuing: false) == 1 && world.clients[0].closed == 0)
        world.run(for: .seconds(1))
        #expect(world.server.flows.total.count + world.clients[0].flows.total.count == traffic.sent)
        #expect(world.server.session()?.pointee.owed.secrets.owed == nil)
    }

    /// The client's disk is full: it gets the key again, less and less often, and continues with its previous
    /// one.
    @Test func aKeyThatIsNotKeptComesAgain() throws {
        let world = try world(roots: [6, 5], client: [5], seed: 5)
        world.run(for: .seconds(200))
        #expect((5...11).contains(given(world).count), "\(given(world).count)")
        #expect(inUse(world) == [.given(generation: 5), .given(generation: 5)])
    }

    /// The server's state was restored from before a rotation.
    @Test func theOlderOfTwoKeysIsTriedToo() throws {
        let world = try world(roots: [5], client: [6, 5], seed: 6)
        #expect(inUse(world) == [.given(generation: 5), .given(generation: 5)])
        #expect(world.server.drops.unknownSecret >= 1)
        #expect(!world.clients[0].events.contains { if case .secretRefused = $0 { true } else { false } })
        // A key of the next rotation is tried first again.
        world.server.engine.replaceRoots(RootSecrets([root(8), root(5)]), now: world.now)
        world.settle(-1)
        world.run(for: .seconds(1))
        world.clients[0].engine.keep(try #require(given(world).last))
        world.run(for: .seconds(130))
        #expect(inUse(world) == [.given(generation: 8), .given(generation: 8)])
    }

    /// Two rotations were missed: the client is told so, once, and never connects without its key.
    @Test(arguments: [[5], [5, 4]] as [[UInt32]])
    func aKeyThatIsGoneIsRefused(_ generations: [UInt32]) throws {
        let world = try world(roots: [7, 6], client: generations, seed: 7)
        world.run(for: .seconds(10))
        #expect(inUse(world).isEmpty)
        #expect(world.clients[0].events.count { if case .secretRefused = $0 { true } else { false } } == 1)
        #expect((2...60).contains(world.server.drops.unknownSecret))
        // The operator restores the old secret.
        world.server.engine.replaceRoots(RootSecrets([root(5)]), now: world.now)
        world.run(for: .seconds(5))
        #expect(inUse(world) == [.given(generation: 5), .given(generation: 5)])
    }

    /// A key is given to a host that enrols and proves ownership of its key, within the invitation's session.
    @Test(arguments: ["own", "another's", "none"])
    func enrolmentGivesAKeyToItsOwner(_ proof: String) throws {
        let world = try World(clients: [["100/10"]], seed: 8, attached: false)
        let server = PrivateKey(bytes: world.serverKey).publicKey
        let keys = InvitationKeys(secret: Array(repeating: 7, count: 20), server: server)
        let invitationKey = keys.privateKey.publicKey
        var invitation = EngineConfiguration.Peer(
            name: "invitation 7", publicKey: invitationKey, presharedKey: keys.presharedKey)
        invitation.kind = .invitation(id: 7)
        world.server.engine.replacePeers(world.peers + [invitation])
        world.server.engine.replaceRoots(RootSecrets([root(5), root(4)]), now: world.now)
        // With another host's proof: the holder of the link asks for a client's key.
        let own = PrivateKey(bytes: Array(repeating: 3, count: 32))
        let wanted = own.publicKey
        let owner = PrivateKey(bytes: Array(repeating: proof == "own" ? 3 : 4, count: 32))
        var configuration = EngineConfiguration(
            role: .client, peers: [.init(name: "server", publicKey: server, presharedKey: keys.presharedKey)],
            poolCapacity: 64)
        configuration.enrolment = .init(
            publicKey: wanted, host: "boat",
            proof: proof == "none"
                ? nil : try EnrolProof(own: owner, other: server, invitation: invitationKey))
        world.clients[0].engine = Engine(
            configuration, staticKey: keys.privateKey, seed: Array(repeating: 9, count: 32))
        world.attach(0)
        world.run(for: .seconds(1))
        world.server.engine.settle(invitation: 7, publicKey: wanted, outcome: .stored)
        world.run(for: .milliseconds(200))
        let order = world.clients[0].events.compactMap { event -> String? in
            switch event {
            case .secret: "secret"
            case .enrolled(.stored): "enrolled"
            default: nil
            }
        }
        #expect(order == (proof == "own" ? ["secret", "enrolled"] : ["enrolled"]))
        #expect(given(world) == (proof == "own" ? [ClientSecret(root(5), client: wanted)] : []))
    }
}
