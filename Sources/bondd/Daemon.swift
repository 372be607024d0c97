import CLinux
import Control
import Engine
import Glibc
import Packet
import Proto
import Scheduler
import Transport
import Tun

/// The data thread: everything that happens, in one loop.
///
///     wait → read sockets → read TUN → Engine.service → flush → write TUN
struct Daemon: ~Copyable {
    var configuration: Configuration
    let file: String
    let log: Log
    let startedAt: Instant

    var poller: Poller
    let netlink: Netlink
    var networkEvents: NetlinkEvents
    var control: ControlSocket
    let resolver: Resolver
    var tunnel: TunnelInterface
    var engine: Engine
    var outbox = Outbox()
    var batch = ReceiveBatch()
    /// What one read of the TUN device brings.
    private let superpacket = UnsafeMutableRawBufferPointer.allocate(
        byteCount: TunDevice.maximumRead, alignment: 64)
    private var joiner: SegmentJoiner
    /// Packets that the joiner holds.
    private var joining = SlotQueue(bound: SegmentJoiner.maximumCount)

    /// Sockets by the number that links carry.
    var sockets: [UDPSocket?] = []
    /// Client: its uplinks.
    var paths: [ClientPath] = []
    var nextPathID: UInt16 = 1
    /// Client: what the server has assigned.
    var assignment: AssignFrame?
    /// Client: when paths are looked at again.
    var nextCheck = Instant.zero
    var counters = DaemonCounters()
    private var isRunning = true

    /// How many packets are read from the TUN device before others have their turn.
    private static let packetsPerTurn = 64

    init(_ configuration: Configuration, file: String, socket: String, log: Log) throws {
        self.configuration = configuration
        self.file = file
        self.log = log
        startedAt = Self.clock()
        let poller = try Poller()
        let netlink = try Netlink()
        let networkEvents = try NetlinkEvents()
        let control = try ControlSocket(path: Self.socketPath(socket, configuration))
        let resolver = try Resolver()
        let tunnel = try TunnelInterface(
            name: configuration.tunnel.interface, mtu: configuration.tunnel.mtu ?? 1400,
            offload: configuration.tunnel.offload, netlink: netlink)
        engine = Engine(
            EngineConfiguration(configuration, mtu: tunnel.mtu),
            staticKey: PrivateKey(bytes: configuration.tunnel.privateKey.key), seed: Sodium.systemSeed())
        self.poller = poller
        self.netlink = netlink
        self.networkEvents = networkEvents
        self.control = control
        self.resolver = resolver
        joiner = SegmentJoiner(tunnel.device.offloads)
        self.tunnel = tunnel
    }

    /// Opens the sockets and sets the addresses that the role asks for.
    mutating func start() throws {
        poller.watch(tunnel.device.fileDescriptor, .tun)
        poller.watch(networkEvents.fileDescriptor, .netlink)
        poller.watch(control.fileDescriptor, .control)
        poller.watch(resolver.fileDescriptor, .resolver)
        switch configuration.role {
        case .server(let server): try serve(server)
        case .client(let client): try connect(client)
        }
        if let warning = cipher?.warning { log(.warning, warning) }
        log(
            .info, "bondd is running",
            [
                "role": engine.isClient ? "client" : "server", "interface": tunnel.device.name,
                "offloads": tunnel.device.offloads.description, "cipher": cipher?.description ?? "none",
            ])
    }

    /// A second instance on one machine gets a socket of its own unless told otherwise.
    private static func socketPath(_ asked: String, _ configuration: Configuration) -> String {
        guard asked == "/run/bondd/bondd.sock" else { return asked }
        if case .some = try? ControlClient.ask(.status, path: asked, timeout: 500) {
            return "/run/bondd/\(configuration.tunnel.interface).sock"
        }
        return asked
    }

    static func clock() -> Instant { Instant(nanoseconds: clinux_monotonic()) }

    static func wall() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: UInt64(max(0, time.tv_sec)), nanoseconds: UInt32(time.tv_nsec))
    }

    // MARK: - The loop

    /// Runs until SIGTERM or SIGINT, then leaves the machine as it was.
    mutating func run() throws {
        while isRunning {
            let count = poller.wait(
                until: min(
                    engine.nextDeadline(), engine.nextMemoryCheck, nextCheck == .zero ? .never : nextCheck
                ).nanoseconds,
                now: Self.clock().nanoseconds)
            let now = Self.clock()
            for i in 0..<count {
                guard let event = poller.event(i) else { continue }
                switch event.source {
                case .socket: receive(event.number, now: now)
                case .tun: readTunnel(now: now)
                case .timer: poller.timerFired()
                case .signals: takeSignals(now: now)
                case .netlink: followInterfaces(now: now)
                case .control: answerRequests(now: now)
                case .resolver: takeResolutions(now: now)
                }
            }
            if engine.isClient && now >= nextCheck { checkPaths(now: now) }
            turn(now: now)
            giveBackMemory(now: now)
        }
        engine.closeAll(into: &outbox, now: Self.clock())
        flush(now: Self.clock())
        log(.info, "bondd has stopped")
    }

    /// Lets the Engine do what is due, and carries it out.
    private mutating func turn(now: Instant) {
        let wall = Self.wall()
        while true {
            let done = engine.service(into: &outbox, now: now, wall: wall)
            flush(now: now)
            writeTunnel()
            if done { break }
        }
        for event in engine.takeEvents() { act(on: event, now: now) }
    }

    private mutating func receive(_ number: UInt16, now: Instant) {
        guard Int(number) < sockets.count, let socket = sockets[Int(number)] else { return }
        let count = socket.socket.receive(into: &batch)
        if count < 0 {
            counters.receiveErrors += 1
            return
        }
        for i in 0..<batch.count {
            engine.receive(batch.datagram(i), from: batch.link(i, socket: number), now: now)
        }
    }

    private mutating func readTunnel(now: Instant) {
        var count = 0
        while count < Self.packetsPerTurn, let packet = tunnel.device.read(into: superpacket) {
            for index in 0..<packet.count {
                let slot = engine.reserve()
                guard slot != .none else { return }
                guard let length = packet.write(index, to: engine.room(of: slot)) else {
                    counters.tunnelErrors += 1
                    engine.release(slot)
                    continue
                }
                engine.send(slot, length: length, hasPartialChecksum: packet.isPartial, now: now)
            }
            count += packet.count
        }
    }

    /// Writes what is delivered, each run of one flow's packets at once.
    private mutating func writeTunnel() {
        while true {
            let slot = engine.takeDelivery()
            if slot == .none { break }
            let (packet, isPartial) = engine.delivery(slot)
            if !joiner.append(packet, isPartial: isPartial) {
                flushTunnel()
                _ = joiner.append(packet, isPartial: isPartial)
            }
            _ = joining.append(slot, length: 0)
        }
        flushTunnel()
    }

    private mutating func flushTunnel() {
        if joiner.flush(to: tunnel.device) < 0 { counters.tunnelErrors += 1 }
        while !joining.isEmpty {
            engine.release(joining.first)
            joining.removeFirst(length: 0)
        }
    }

    /// Sends what is in the outbox, each run of datagrams of one socket with one call.
    private mutating func flush(now: Instant) {
        var start = 0
        while start < outbox.count {
            let number = outbox[start].link.socket
            var end = start + 1
            while end < outbox.count && outbox[end].link.socket == number { end += 1 }
            if let socket = sockets[Int(number)] {
                send(start..<end, on: socket, now: now)
            } else {
                counters.unsent += UInt64(end - start)
            }
            start = end
        }
        outbox.clear()
    }

    private mutating func send(_ entries: Range<Int>, on socket: UDPSocket, now: Instant) {
        let result = socket.socket.send(outbox, entries: entries)
        guard let problem = result.problem else { return }
        counters.unsent += UInt64(entries.count - result.sent)
        switch problem {
        case .unreachable, .interfaceGone:
            pathFailed(socket.number, gone: problem == .interfaceGone, now: now)
        case .wouldBlock, .noBuffers, .tooBig, .notPermitted, .other: counters.note(problem)
        }
    }

    private mutating func takeSignals(now: Instant) {
        while let signal = poller.takeSignal() {
            switch signal {
            case SIGHUP: _ = reload(now: now)
            default: isRunning = false
            }
        }
    }

    private mutating func takeResolutions(now: Instant) {
        for resolution in resolver.take() { resolved(resolution, now: now) }
    }

    /// Puts a socket into the table and watches it.
    mutating func install(_ socket: UDPSocket) {
        while sockets.count <= Int(socket.number) { sockets.append(nil) }
        sockets[Int(socket.number)] = socket
        poller.watch(socket.socket.fileDescriptor, .socket, number: socket.number)
    }
}
