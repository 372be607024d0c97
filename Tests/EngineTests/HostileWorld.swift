import Hostile
import LinkModel
import Packet
import Proto

@testable import Engine

/// A server, two honest clients under traffic, and next to them a third client that may be a hostile peer, all
/// derived from a seed.
struct HostileWorld {
    /// The results of the honest clients and the server.
    struct Outcome {
        /// Packets of the honest clients that arrived, of those sent.
        var delivered = 0
        var sent = 0
        /// One-way delays of their pings there and back together: the mean and the 95th percentile.
        var ping = (mean: Interval.zero, p95: Interval.zero)
        /// The longest turn of the server, and the sum of all.
        var longestTurn = Interval.zero
        var cpu = Interval.zero
        /// Maximum number of the server's buffers in use.
        var buffers = 0
        /// The faults found, in words.
        var faults: [String] = []
        var hostile = HostilePeer.Counters()
        var drops = DropCounters()

        var summary: String {
            """
            \(delivered) of \(sent), ping \(ping.mean.milliseconds)/\(ping.p95.milliseconds) ms, longest turn \
            \(longestTurn.milliseconds) ms, CPU \(cpu.milliseconds) ms, \(buffers) buffers, \(drops.falseAcks) false ACKs, \
            \(hostile)
            """
        }
    }

    private static let hostile = 2
    /// Buffers of every Engine.
    static let pool = 4096
    /// How long it runs before the lies, and with them.
    private static let settling = Interval.milliseconds(800)
    private static let pings: ClosedRange<UInt16> = 90...93

    private let lie: Lie?
    private let seed: UInt64
    private let megabits: Double
    private let length: Interval
    private let world: World
    private let traffic: Traffic
    private var peer: HostilePeer?

    /// - Parameters:
    ///   - lie: nil means without the third client.
    ///   - seed: the seed of links, traffic and lies. The world and its traffic are the same for seeds that are
    ///     equal modulo `worlds`.
    init(lie: Lie?, seed: UInt64, megabits: Double, length: Interval, worlds: UInt64 = 4) throws {
        (self.lie, self.seed, self.megabits, self.length) = (lie, seed, megabits, length)
        let links = [["20/10", "10/30"], ["20/20,loss=1%"], ["50/5", "30/15"]]
        world = try World(clients: links, seed: seed % worlds + 1, pool: Self.pool, attached: false)
        traffic = Traffic(world)
        for client in 0..<2 {
            traffic.add(from: client, id: 1, every: .milliseconds(2), payload: 1000)
            traffic.add(from: -1, client: client, id: 2, every: .milliseconds(1), payload: 1200)
            traffic.add(from: client, id: 90, every: .milliseconds(10), payload: 64)
            traffic.add(from: -1, client: client, id: 91, every: .milliseconds(10), payload: 64)
        }
        if let lie { peer = makePeer(lie) }
    }

    private func makePeer(_ lie: Lie) -> HostilePeer {
        let server = PrivateKey(bytes: world.serverKey).publicKey
        var identity = HostilePeer.Identity(
            server: server, address: World.inner(Self.hostile), destination: World.serverInner)
        guard lie == .enrolment else {
            let key = PrivateKey(bytes: world.clientKeys[Self.hostile])
            return HostilePeer(identity, staticKey: key, lie: lie, seed: seed, megabits: megabits, links: 2)
        }
        let keys = InvitationKeys(
            secret: Array(repeating: 7, count: InvitationKeys.secretSize), server: server)
        var invitation = EngineConfiguration.Peer(
            name: "invitation", publicKey: keys.privateKey.publicKey, presharedKey: keys.presharedKey)
        invitation.kind = .invitation(id: 1)
        world.server.engine.replacePeers(world.peers + [invitation])
        identity.presharedKey = keys.presharedKey
        return HostilePeer(
            identity, staticKey: keys.privateKey, lie: lie, seed: seed, megabits: megabits, links: 2)
    }

    /// Runs it.
    func run() -> Outcome {
        var outcome = Outcome()
        world.meter = TurnMeter()
        world.clients[Self.hostile].isAlive = false
        if let peer {
            world.guests[Self.hostile] = { link, bytes in
                bytes.withUnsafeBytes { peer.receive($0, on: Int(link.socket) - 1, now: world.now) }
            }
            if lie != .hoarding {
                // Traffic for it to acknowledge, or not.
                traffic.add(from: -1, client: Self.hostile, id: 3, every: .milliseconds(2), payload: 1200)
            }
        }
        world.attach(0)
        world.attach(1)
        world.run(for: Self.settling)
        let start = world.now
        var isStuck = false
        traffic.run(for: length) { now in
            outcome.buffers = max(outcome.buffers, world.server.buffers)
            guard let peer, !isStuck else { return }
            peer.turn(now: now, wall: world.wall())
            for datagram in peer.takeOutgoing() {
                world.launch(
                    datagram.bytes, over: world.link(UInt16(datagram.link + 1), of: Self.hostile),
                    source: datagram.source)
            }
            // If the server hangs, the test must not.
            isStuck = world.meter!.longest > .seconds(2)
        }
        world.run(for: .milliseconds(500))
        summarise(&outcome, since: start)
        return outcome
    }

    private func summarise(_ outcome: inout Outcome, since start: Instant) {
        outcome.longestTurn = world.meter!.longest
        outcome.cpu = world.meter!.total
        if let peer { outcome.hostile = peer.counters }
        outcome.drops = world.server.drops
        for flow in traffic.flows where flow.id < 3 {
            outcome.sent += Int(flow.sent)
            let key = FlowLedger.Key(source: flow.source, destination: flow.destination, flow: flow.id)
            let node = flow.from < 0 ? world.clients[Int(flow.destination.low & 0xFF) - 2] : world.server
            let record = node.flows.records[key]
            outcome.delivered += (record?.count ?? 0) - (record?.duplicates ?? 0)
        }
        outcome.ping = pings(since: start)
        let server = world.server
        for client in 0..<2 where world.clients[client].closed > 0 || server.session(client) == nil {
            outcome.faults.append("honest client \(client) lost its session")
        }
        if server.engine.sessions.count > 2 * world.clients.count {
            outcome.faults.append("too many sessions")
        }
        if server.events.count > 5000 { outcome.faults.append("\(server.events.count) events") }
        if let session = server.session(Self.hostile) {
            if session.pointee.paths.count > 16 { outcome.faults.append("too many paths") }
            for i in 0..<session.pointee.paths.count {
                let rate = session.pointee.paths[i].pointee.rate.pacingRate(
                    session.pointee.paths[i].pointee.rtt)
                if !rate.isFinite || rate <= 0 { outcome.faults.append("a rate of \(rate)") }
            }
        }
    }

    /// The delays of the small flows. A lost packet counts as a second.
    private func pings(since start: Instant) -> (mean: Interval, p95: Interval) {
        var there: [Interval] = []
        for flow in traffic.flows where Self.pings.contains(flow.id) {
            let node = flow.from < 0 ? world.clients[Int(flow.destination.low & 0xFF) - 2] : world.server
            var arrived: [UInt64: Instant] = [:]
            for (time, probe) in node.delivered where probe.flow == flow.id && probe.source == flow.source {
                arrived[probe.number] = arrived[probe.number] ?? time
            }
            for number in 0..<flow.sent {
                let left = start + flow.interval * Int64(number)
                there.append(arrived[number].map { $0 - left } ?? .seconds(1))
            }
        }
        there.sort()
        let sum = there.reduce(Interval.zero, +)
        return (sum / Int64(max(there.count, 1)) * 2, there[there.count * 95 / 100] * 2)
    }
}
