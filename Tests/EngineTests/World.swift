import Lab
import LinkModel
import Packet
import Proto
import Scheduler

@testable import Engine

/// Engines, virtual links and a virtual clock: a network that runs a minute in a second and repeats to the bit.
///
/// Nodes are numbered: clients from 0, the server is -1. A server of several shards is -1, -2 and so on, and client c
/// belongs to shard c modulo their number.
final class World {
    static let serverEndpoint = Endpoint(address: IPAddress(v4: 0xCB00_7107), port: 5000)
    static let serverInner = IPAddress(v4: 0x0A4D_0001)

    let seed: UInt64
    let mode: Mode
    let pool: Int
    var now = Instant(nanoseconds: 5_000_000_000)
    /// The server's shards; usually one.
    let servers: [Node]
    let shards: Int
    var clients: [Node] = []
    private(set) var links: [VirtualLink] = []
    /// Sees every datagram sent, and decides whether it is put on its link.
    var onWire: ((_ towardsServer: Bool, _ link: VirtualLink, _ bytes: [UInt8]) -> Bool)?

    /// How often the hosts read their sockets; at zero, whenever something arrives.
    var readingInterval = Interval.zero
    /// Whether the hosts' kernels say when a datagram arrived.
    var hasReceiveStamps = true

    /// Called when a node has finished its turn.
    var onTurn: ((_ node: Int) -> Void)?

    /// A network's effect on a datagram's ECN bits; nil drops the datagram.
    var remark: ((_ towardsServer: Bool, _ link: VirtualLink, _ ecn: UInt8) -> UInt8?)?

    /// Receives the datagrams for a client in place of its Engine.
    var guests: [Int: (Link, [UInt8]) -> Void] = [:]
    /// Measures the server's turns, if set.
    var meter: TurnMeter?

    /// Every init passed from one shard to another, and the number of packets.
    var forwarded: [ForwardedInit] = []
    var strayed = 0

    var arrivals = ArrivalHeap()
    var order: UInt64 = 0
    let serverKey: [UInt8]
    let clientKeys: [[UInt8]]
    /// The shared key assumed by each client.
    var clientSharedKeys: [PresharedKey]
    private let sharedKey: PresharedKey
    private var seeds: UInt64 = 0

    /// `specs[i]` are the links of client i, in the syntax of `LinkSpec` after the name.
    init(
        clients specs: [[String]], mode: Mode = .stripe, seed: UInt64, sharedKey: PresharedKey = .none,
        pool: Int = 8192, attached: Bool = true, shards: Int = 1, clientClock: Interval = .zero
    ) throws {
        self.shards = shards
        self.seed = seed
        self.mode = mode
        self.pool = pool
        now = now + max(Interval.zero - clientClock, .zero)
        self.sharedKey = sharedKey
        serverKey = (0..<32).map { UInt8(truncatingIfNeeded: seed &+ UInt64($0) &* 7 &+ 1) }
        clientKeys = specs.indices.map { c in
            (0..<32).map {
                UInt8(truncatingIfNeeded: (seed &+ UInt64(c) &* 257 &+ 99) >> UInt64($0 % 4 * 8))
                    ^ UInt8($0 * 5)
            }
        }
        clientSharedKeys = specs.map { _ in sharedKey }
        let peers = clientKeys.indices.map { [clientKeys] c in
            Self.peer(c, clientKeys[c], sharedKey: sharedKey, mode: mode, shard: c % shards)
        }
        servers = (0..<shards).map { [serverKey] index in
            Node(
                name: index == 0 ? "server" : "server, shard \(index)",
                engine: Engine(
                    EngineConfiguration(
                        role: .server, peers: peers, mode: mode, poolCapacity: pool,
                        shard: Shard(index: index, count: shards)),
                    staticKey: PrivateKey(bytes: serverKey), seed: Self.seedBytes(seed, UInt64(index) << 32),
                    cookieSeed: shards > 1 ? Self.seedBytes(seed, 1) : nil))
        }
        for (c, paths) in specs.enumerated() {
            clients.append(
                Node(name: "client\(c)", engine: makeClient(c), clockOffset: clientClock))
            for (p, text) in paths.enumerated() {
                let address = IPAddress(v4: 0x0A64_0000 + UInt32(c) << 5 + UInt32(p))
                links.append(
                    VirtualLink(
                        client: c, path: UInt16(p + 1), spec: try LinkSpec("l=\(text)"),
                        endpoint: Endpoint(address: address, port: 40000),
                        seed: seed &* 31 &+ UInt64(c * 100 + p * 2)))
            }
            if attached { attach(c) }
        }
    }

    // MARK: - Who is who

    static func inner(_ client: Int) -> IPAddress { IPAddress(v4: 0x0A4D_0002 + UInt32(client)) }
    static func inner6(_ client: Int) -> IPAddress {
        IPAddress(v6High: 0xFD77_0000_0000_0000, low: 2 + UInt64(client))
    }

    func node(_ index: Int) -> Node { index < 0 ? servers[-1 - index] : clients[index] }
    /// The server, or its first shard.
    var server: Node { servers[0] }
    /// The nodes' numbers.
    var nodes: Range<Int> { -shards..<clients.count }
    /// The shard that client `c` belongs to.
    func owner(of c: Int) -> Node { servers[c % shards] }
    func link(_ path: UInt16, of client: Int = 0) -> VirtualLink {
        links.first { $0.client == client && $0.path == path }!
    }

    /// The configuration of client `c` at the server.
    static func peer(
        _ c: Int, _ key: [UInt8], sharedKey: PresharedKey = .none, mode: Mode = .stripe, shard: Int = 0
    ) -> EngineConfiguration.Peer {
        EngineConfiguration.Peer(
            name: "client\(c)", publicKey: PrivateKey(bytes: key).publicKey, presharedKey: sharedKey,
            addresses: [inner(c), inner6(c)],
            assignment: AssignFrame(
                mtu: 1400, addresses: [InterfaceAddress(address: inner(c), prefix: 24)], dns: [], routes: []),
            mode: mode, shard: shard)
    }

    var peers: [EngineConfiguration.Peer] {
        clientKeys.indices.map {
            Self.peer($0, clientKeys[$0], sharedKey: sharedKey, mode: mode, shard: $0 % shards)
        }
    }

    static func seedBytes(_ seed: UInt64, _ salt: UInt64) -> [UInt8] {
        var random = SeededGenerator(seed: seed &* 0x9E37_79B9 &+ salt)
        return (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    private func nextSeed() -> [UInt8] {
        seeds += 1
        return Self.seedBytes(seed, seeds &* 7919)
    }

    private func makeClient(_ c: Int) -> Engine {
        let server = EngineConfiguration.Peer(
            name: "server", publicKey: PrivateKey(bytes: serverKey).publicKey,
            presharedKey: clientSharedKeys[c])
        return Engine(
            EngineConfiguration(role: .client, peers: [server], mode: mode, poolCapacity: pool),
            staticKey: PrivateKey(bytes: clientKeys[c]), seed: nextSeed())
    }

    // MARK: - Events from outside

    /// Tells a client of its paths.
    func attach(_ c: Int) {
        for link in links where link.client == c { setPath(link.path, of: c) }
    }

    func setPath(_ path: UInt16, of client: Int = 0, role: PathRole = .primary, isLinked: Bool = true) {
        clients[client].engine.setPath(
            path, role: role, link: isLinked ? Link(socket: path, remote: Self.serverEndpoint) : nil,
            now: clients[client].time(now)
        )
        settle(client)
    }

    /// Kills (kill -9) and restarts a client.
    func restartClient(_ c: Int) {
        clients[c].engine = makeClient(c)
        attach(c)
    }

    /// Kills (kill -9) and restarts the server.
    func restartServer() {
        server.engine = Engine(
            EngineConfiguration(role: .server, peers: peers, mode: mode, poolCapacity: pool),
            staticKey: PrivateKey(bytes: serverKey), seed: nextSeed())
    }

    /// Feeds a packet into the TUN device of a node.
    @discardableResult
    func send(_ probe: Probe, from node: Int) -> Bool {
        let target = self.node(node)
        let slot = target.engine.reserve()
        guard slot != .none else { return false }
        let length = probe.write(to: target.engine.room(of: slot))
        target.engine.send(slot, length: length, now: target.time(now))
        settle(node)
        return true
    }

    /// Delivers a forged or recorded datagram to a node.
    func inject(_ bytes: [UInt8], at node: Int, from link: Link, ecn: UInt8 = 0, arrival: Instant? = nil) {
        let target = self.node(node)
        if node < 0 { meter?.begin() }
        bytes.withUnsafeBytes {
            target.engine.receive(
                $0, from: link, ecn: ecn, arrival: arrival.map { target.time($0) }, now: target.time(now))
        }
        if node < 0 { meter?.pause() }
        settle(node)
    }

    /// The link on which the server hears from a link's client.
    func serverSide(_ link: VirtualLink) -> Link {
        Link(socket: 0, local: Self.serverEndpoint.address, remote: link.clientEndpoint)
    }
}
