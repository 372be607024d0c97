import Lab
import Packet
import Proto
import Scheduler

@testable import Engine

/// Engines, virtual links and a virtual clock: a network that runs a minute in a second and repeats to the bit.
final class World {
    /// One end of the tunnel.
    final class Node {
        let name: String
        var engine: Engine
        var outbox = Outbox()
        var wallOffset: Int64 = 0
        var isAlive = true
        /// Every inner packet that came out, with its time.
        var delivered: [(time: Instant, packet: Probe)] = []
        var events: [EngineEvent] = []
        /// Session, path and packet number of everything that was ever sealed: none may come twice.
        var nonces: Set<Nonce> = []
        var repeatedNonces = 0
        /// Called for every delivery.
        var onDelivery: ((Probe) -> Void)?

        init(name: String, engine: consuming Engine) {
            self.name = name
            self.engine = engine
        }
    }

    struct Nonce: Hashable {
        let session: UInt32
        let path: UInt16
        let number: UInt64
    }

    /// A link between a client's path and the server.
    final class VirtualLink {
        let client: Int
        let path: UInt16
        var up: LinkModel
        var down: LinkModel
        /// What the server sees the client as.
        var clientEndpoint: Endpoint

        init(client: Int, path: UInt16, spec: LinkSpec, endpoint: Endpoint, seed: UInt64) {
            self.client = client
            self.path = path
            up = LinkModel(shape: spec.up, seed: seed)
            down = LinkModel(shape: spec.down, seed: seed &+ 1)
            clientEndpoint = endpoint
        }

        var isDown: Bool {
            get { up.shape.isDown }
            set {
                up.shape.isDown = newValue
                down.shape.isDown = newValue
            }
        }
    }

    struct Arrival {
        let time: UInt64
        let order: UInt64
        /// -1: the server.
        let client: Int
        let link: Link
        let bytes: [UInt8]
    }

    static let serverEndpoint = Endpoint("203.0.113.7:5000")!
    static let serverInner = IPAddress("10.77.0.1")!

    let seed: UInt64
    var now = Instant(nanoseconds: 5_000_000_000)
    let server: Node
    var clients: [Node] = []
    var links: [VirtualLink] = []
    /// What goes over the wire may be watched or changed: called for every datagram that is sent.
    var onWire: ((_ towardsServer: Bool, _ link: VirtualLink, _ bytes: [UInt8]) -> Void)?

    private var arrivals = ArrivalHeap()
    private var order: UInt64 = 0
    private var random: SeededGenerator
    private var seeds: UInt64 = 0
    let serverKey: [UInt8]
    var clientKeys: [[UInt8]] = []
    let mode: Mode

    /// `clients[i]` are the link specs of client i.
    init(clients specs: [[String]], mode: Mode = .stripe, seed: UInt64, psk: Bool = false, pool: Int = 8192)
        throws
    {
        self.seed = seed
        self.mode = mode
        random = SeededGenerator(seed: seed)
        let serverKey = (0..<32).map { UInt8(truncatingIfNeeded: seed &+ UInt64($0) &* 7 &+ 1) }
        self.serverKey = serverKey
        let clientKeys = specs.indices.map { c in
            (0..<32).map { UInt8(truncatingIfNeeded: seed &+ UInt64($0) &* 11 &+ UInt64(c) &+ 99) }
        }
        self.clientKeys = clientKeys
        let peers = specs.indices.map { c in
            EngineConfiguration.Peer(
                name: "client\(c)", publicKey: PrivateKey(bytes: clientKeys[c]).publicKey,
                addresses: [Self.inner(c), Self.inner6(c)],
                assignment: AssignFrame(
                    mtu: 1400, addresses: [InterfaceAddress(address: Self.inner(c), prefix: 24)], dns: [],
                    routes: []), mode: mode)
        }
        server = Node(
            name: "server",
            engine: Engine(
                EngineConfiguration(role: .server, peers: peers, mode: mode, poolCapacity: pool),
                staticKey: PrivateKey(bytes: serverKey), seed: Self.seedBytes(seed, 0)))
        for (c, paths) in specs.enumerated() {
            clients.append(Node(name: "client\(c)", engine: makeClient(c, pool: pool)))
            for (p, text) in paths.enumerated() {
                let spec = try LinkSpec("l=\(text)")
                let link = VirtualLink(
                    client: c, path: UInt16(p + 1), spec: spec,
                    endpoint: Endpoint(
                        address: IPAddress(v4: 0x0A64_0001 + UInt32(c) << 8 + UInt32(p)), port: 40000),
                    seed: seed &* 31 &+ UInt64(c * 100 + p * 2))
                links.append(link)
                attach(link)
            }
        }
    }

    static func inner(_ client: Int) -> IPAddress { IPAddress(v4: 0x0A4D_0002 + UInt32(client)) }
    static func inner6(_ client: Int) -> IPAddress {
        IPAddress(v6High: 0xFD77_0000_0000_0000, low: 2 + UInt64(client))
    }

    static func seedBytes(_ seed: UInt64, _ salt: UInt64) -> [UInt8] {
        (0..<32).map {
            UInt8(truncatingIfNeeded: (seed &* 0x9E37_79B9 &+ salt) >> UInt64($0 % 8 * 8)) ^ UInt8($0)
        }
    }

    private func nextSeed() -> [UInt8] {
        seeds += 1
        return Self.seedBytes(seed, seeds &* 7919)
    }

    private func makeClient(_ c: Int, pool: Int = 8192) -> Engine {
        Engine(
            EngineConfiguration(
                role: .client,
                peers: [.init(name: "server", publicKey: PrivateKey(bytes: serverKey).publicKey)],
                mode: mode, poolCapacity: pool),
            staticKey: PrivateKey(bytes: clientKeys[c]), seed: nextSeed())
    }

    private func attach(_ link: VirtualLink) {
        clients[link.client].engine.setPath(
            link.path, role: .primary,
            link: Link(socket: link.path, remote: Self.serverEndpoint), now: now)
    }

    // MARK: - Events from outside

    /// kill -9 and a new start of a client.
    func restartClient(_ c: Int) {
        clients[c].engine = makeClient(c)
        for link in links where link.client == c { attach(link) }
    }

    /// kill -9 and a new start of the server.
    func restartServer() {
        let peers = clients.indices.map { c in
            EngineConfiguration.Peer(
                name: "client\(c)", publicKey: PrivateKey(bytes: clientKeys[c]).publicKey,
                addresses: [Self.inner(c), Self.inner6(c)],
                assignment: AssignFrame(
                    mtu: 1400, addresses: [InterfaceAddress(address: Self.inner(c), prefix: 24)], dns: [],
                    routes: []), mode: mode)
        }
        server.engine = Engine(
            EngineConfiguration(role: .server, peers: peers, mode: mode),
            staticKey: PrivateKey(bytes: serverKey), seed: nextSeed())
    }

    /// A packet enters the TUN device of a client (index) or of the server (-1).
    @discardableResult
    func send(_ probe: Probe, from node: Int) -> Bool {
        let target = node < 0 ? server : clients[node]
        let slot = target.engine.reserve()
        guard slot != .none else { return false }
        let length = probe.write(to: target.engine.room(of: slot))
        target.engine.send(slot, length: length, now: now)
        settle(node)
        return true
    }

    /// A datagram out of nowhere, or recorded earlier, arrives at a node.
    func inject(_ bytes: [UInt8], at node: Int, from link: Link) {
        let target = node < 0 ? server : clients[node]
        bytes.withUnsafeBytes { target.engine.receive($0, from: link, now: now) }
        settle(node)
    }

    // MARK: - Time

    /// Runs until `end`, calling `tick` every `step`.
    func run(for length: Interval, step: Interval = .seconds(3600), tick: ((Instant) -> Void)? = nil) {
        let end = now + length
        var nextTick = now
        var turnsAtOnce = 0
        for node in -1..<clients.count { settle(node) }
        while true {
            var next = end
            if tick != nil { next = min(next, nextTick) }
            if let first = arrivals.first { next = min(next, Instant(nanoseconds: first.time)) }
            next = min(next, server.isAlive ? server.engine.nextDeadline() : .never)
            for client in clients where client.isAlive { next = min(next, client.engine.nextDeadline()) }
            turnsAtOnce = next <= now ? turnsAtOnce + 1 : 0
            precondition(
                turnsAtOnce < 100_000, "time stands still: an Engine asks to be called at once for ever")
            now = max(now, next)
            if now >= end { break }
            if let tick, nextTick <= now {
                nextTick = now + step
                tick(now)
            }
            while let first = arrivals.first, first.time <= now.nanoseconds {
                arrivals.removeFirst()
                let node = first.client < 0 ? server : clients[first.client]
                guard node.isAlive else { continue }
                first.bytes.withUnsafeBytes { node.engine.receive($0, from: first.link, now: now) }
                settle(first.client)
            }
            if server.isAlive && server.engine.nextDeadline() <= now { settle(-1) }
            for c in clients.indices where clients[c].isAlive && clients[c].engine.nextDeadline() <= now {
                settle(c)
            }
        }
        now = end
    }

    /// Services a node until it has nothing to say, and carries out what it wants.
    func settle(_ index: Int) {
        let node = index < 0 ? server : clients[index]
        guard node.isAlive else { return }
        let seconds = Int64(now.nanoseconds / 1_000_000_000) + 1_700_000_000 + node.wallOffset
        let wall = Timestamp(
            seconds: UInt64(seconds), nanoseconds: UInt32(now.nanoseconds % 1_000_000_000))
        while true {
            let done = node.engine.service(into: &node.outbox, now: now, wall: wall)
            flush(node, index)
            while true {
                let slot = node.engine.takeDelivery()
                if slot == .none { break }
                if let probe = Probe(parsing: node.engine.packet(in: slot)) {
                    node.delivered.append((now, probe))
                    node.onDelivery?(probe)
                }
                node.engine.release(slot)
            }
            node.events += node.engine.takeEvents()
            if done { break }
        }
    }

    private func flush(_ node: Node, _ index: Int) {
        for i in 0..<node.outbox.count {
            let entry = node.outbox[i]
            let bytes = [UInt8](node.outbox.datagram(entry))
            if let header = bytes.withUnsafeBytes({ Header(parsing: $0) }),
                header.kind == .data || header.kind == .control
            {
                let nonce = Nonce(
                    session: header.sessionID, path: header.pathID, number: header.packetNumber)
                if !node.nonces.insert(nonce).inserted { node.repeatedNonces += 1 }
            }
            if index < 0 {
                guard let link = links.first(where: { $0.clientEndpoint == entry.link.remote }) else {
                    continue
                }
                onWire?(false, link, bytes)
                carry(
                    bytes, &link.down, to: link.client,
                    as: Link(socket: link.path, remote: Self.serverEndpoint))
            } else {
                guard let link = links.first(where: { $0.client == index && $0.path == entry.link.socket })
                else { continue }
                onWire?(true, link, bytes)
                carry(
                    bytes, &link.up, to: -1,
                    as: Link(socket: 0, local: Self.serverEndpoint.address, remote: link.clientEndpoint))
            }
        }
        node.outbox.clear()
    }

    private func carry(_ bytes: [UInt8], _ model: inout LinkModel, to client: Int, as link: Link) {
        // IPv4, UDP and Ethernet headers count on the link.
        switch model.offer(bytes: bytes.count + 42, at: now.nanoseconds) {
        case .delivered(let time): push(time, client, link, bytes)
        case .duplicated(let time, let copy):
            push(time, client, link, bytes)
            push(copy, client, link, bytes)
        case .queueFull, .lost, .down: break
        }
    }

    private func push(_ time: UInt64, _ client: Int, _ link: Link, _ bytes: [UInt8]) {
        order += 1
        arrivals.insert(Arrival(time: time, order: order, client: client, link: link, bytes: bytes))
    }
}
