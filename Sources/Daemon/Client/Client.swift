import CLinux
import Engine
import Host
import Packet
import Proto
import Runtime
import Settings

/// A client: its uplinks as paths, the host's routes and name servers, and the tunnel as assigned by the
/// server.
final class Client {
    let shared: Shared
    /// The tunnel's data, which the main thread has.
    var plane: DataPlane
    /// The file's part for clients.
    private(set) var settings: Configuration.Client
    private(set) var paths: [ClientPath] = []
    private var nextPathID: UInt16 = 1
    /// The tunnel as assigned by the server; nil before the first assignment.
    private(set) var assignment: AssignFrame?
    /// The largest packet that all paths carry, in bytes.
    private var reach = Int.max

    var hostRoutes = HostRoutes()
    var routing = TunnelRouting()
    var uplinks = UplinkMemory()
    var hardware: PathHardwareWatch
    var routers: RouterWatch
    var usage: DataUsage
    /// The addresses of the server's names.
    var names = ServerNames()
    let resolver: Resolver
    var nameService: NameService
    var refusal = ServerRefusal()
    /// The preshared keys that the server has given; nil if the configuration has one.
    private var secrets: GivenSecrets?

    init(
        _ shared: Shared, _ settings: Configuration.Client, plane: consuming DataPlane, resolver: Resolver,
        secrets: GivenSecrets?
    ) {
        self.shared = shared
        self.plane = plane
        self.settings = settings
        self.resolver = resolver
        self.secrets = secrets
        let (state, interface) = (shared.stateDirectory, shared.configuration.tunnel.interface)
        nameService = NameService(NameServers(interface: shared.tunnel.name, directory: state))
        hardware = PathHardwareWatch(directory: state, interface: interface)
        routers = RouterWatch(directory: state, interface: interface)
        usage = DataUsage(
            UsageFile(directory: state, interface: interface),
            month: Month(of: Timestamp.now.seconds), log: shared.log, now: .now)
    }

    /// The Engine of a client.
    static func engine(
        _ configuration: Configuration, mtu: Int, cookieSeed: [UInt8], secrets: ClientSecrets
    ) -> Engine {
        var part = EngineConfiguration(configuration, mtu: mtu)
        part.secrets = secrets
        return Engine(part, configuration.tunnel, cookieSeed: cookieSeed)
    }

    // MARK: - Start and end

    /// Sets up the paths and the host's routing for them.
    func start() throws {
        shared.poller.watch(plane.queue.fileDescriptor, .tun)
        routers.restore(shared.log)
        do {
            try shared.cleanRouting()
            try connect()
        } catch {
            undoRouting()
            throw error
        }
    }

    /// Says goodbye to the server, and restores the host.
    func close() {
        plane.close(now: .now)
        nameService.close(shared.log)
        undoRouting()
        routers.restore(shared.log)
        hardware.close()
        checkUsage(now: .now)
        usage.close(now: .now)
    }

    // MARK: - The loop

    /// When the tunnel's data or `attend` has work even if nothing arrives.
    func deadline(now: Instant) -> Instant {
        min(plane.nextDeadline, secrets?.deadline(now: now) ?? .never)
    }

    /// Compares paths, routes and name servers with the host, when that is due.
    func check(now: Instant) {
        if now >= shared.nextCheck { checkPaths(now: now) }
        watchUsage(now: now)
    }

    /// Uses a preshared key from the server once it is on the disk: a client that is killed before that would
    /// come back without it.
    func attend(now: Instant) {
        guard let written = secrets?.takeWritten(now: now) else { return }
        plane.engine.keep(written)
        shared.log(
            .info, "the server has given a new preshared key", ["generation": "\(written.generation)"])
    }

    /// Does what an event calls for.
    /// - Returns: whether to log the event.
    func act(on event: EngineEvent, now: Instant) -> Bool {
        switch event {
        case .assigned(let frame):
            adopt(frame)
            renewNames()
        case .reachChanged(_, let packet): follow(reach: packet)
        case .established: refusal.end()
        case .secret(let secret): secrets?.take(secret, now: now)
        case .pathChanged(_, let id, .up): path(id)?.concerns[.reach] = nil
        default: break
        }
        // Some refusals arrive as often as this end tries.
        return event.refusal.map { refusal.note($0, now: now) } ?? true
    }

    /// The resolver has answers.
    func takeResolutions(now: Instant) {
        for resolution in resolver.take() { resolved(resolution, now: now) }
        for translation in resolver.takeTranslations() { learn(translation, now: now) }
    }

    /// The tunnel's interface was restored.
    func follow(_ change: Shared.TunnelChange?) {
        guard let change, change.addresses else { return }
        routing.expire()
        // A family came or went, and with it the route of its packets to anywhere.
        if change.family { adoptAgain() }
    }

    /// Applies a new file: other paths, and perhaps other routes into the tunnel.
    func reload(_ new: Configuration.Client, now: Instant) {
        settings = new
        replacePaths(now: now)
        adoptAgain()
    }

    // MARK: - The tunnel

    /// Sets the tunnel up as assigned by the server.
    func adopt(_ frame: AssignFrame) {
        guard frame != assignment else { return }
        assignment = frame
        let own = shared.configuration.tunnel.addresses
        let assigned = frame.addresses.compactMap { CIDR($0.address, length: Int($0.prefix)) }
        let offered = frame.routes.compactMap { CIDR($0.address, length: Int($0.length)) }
        let addresses = own.isEmpty ? assigned : own
        let routes = routing.lead(
            settings.routes ?? offered, addresses: shared.tunnel.usable(addresses),
            tunnel: shared.tunnel.name, shared.log)
        do throws(HostError) {
            try shared.tunnel.apply(
                .init(addresses: addresses, mtu: mtu(frame), routes: routes), shared.netlink, shared.log)
            updateRouting(now: .now)
            useNameServers(frame, routes: routes)
            shareTunnel(frame)
            let list = shared.tunnel.addresses.map(\.description).joined(separator: " ")
            clinux_trim_heap()
            shared.log(
                .info, "the tunnel is set up", ["addresses": list, "mtu": "\(shared.tunnel.mtu)"])
        } catch {
            assignment = nil
            shared.log(.error, error.description)
        }
    }

    /// Sets the tunnel up again, because something that it depends on has changed.
    private func adoptAgain() {
        guard let frame = assignment else { return }
        assignment = nil
        adopt(frame)
    }

    /// The paths in use carry packets of up to this many bytes: the tunnel's MTU follows, unless the file has
    /// one.
    private func follow(reach packet: Int) {
        reach = packet
        guard let assignment, mtu(assignment) != shared.tunnel.mtu else { return }
        do throws(HostError) {
            try shared.tunnel.setMTU(mtu(assignment), shared.netlink)
            shared.log(.info, "the tunnel's MTU follows its paths", ["mtu": "\(shared.tunnel.mtu)"])
        } catch {
            shared.log(.error, error.description)
        }
    }

    /// The tunnel's MTU: at most the server's, and at most the size that the paths carry. With IPv6 it is at
    /// least 1280 (RFC 8200) even on smaller paths, where flows follow their SYN's clamped segment size.
    private func mtu(_ frame: AssignFrame) -> Int {
        let most = min(max(Int(frame.mtu), 576), PacketPool.maximumPacket)
        if let fixed = shared.configuration.tunnel.mtu { return min(fixed, most) }
        let families =
            shared.configuration.tunnel.addresses.map(\.address) + frame.addresses.map(\.address)
        return min(most, max(reach, families.contains { $0.family == .v6 } ? 1280 : 576))
    }

    // MARK: - The list of paths

    /// The path of that ID.
    func path(_ id: UInt16) -> ClientPath? { paths.first { $0.id == id } }

    func addPath(_ path: Configuration.Path) {
        // The wire uses no ID twice.
        guard nextPathID < .max else {
            shared.log(.error, "all path IDs are used up; restart bondd", ["path": path.name])
            return
        }
        let taken = paths.map(\.place)
        let place = (0..<UInt16.max / 2).first { !taken.contains($0) } ?? 0
        let added = ClientPath(id: nextPathID, place: place, configuration: path)
        nextPathID += 1
        added.endpoints = endpoints(of: path)
        paths.append(added)
    }

    /// Adds a socket to the data plane, and watches it.
    func install(_ socket: UDPSocket) {
        plane.install(socket)
        shared.poller.watch(socket.socket.fileDescriptor, .socket(socket.number))
    }

    /// Removes a path.
    func remove(_ path: ClientPath, now: Instant) {
        plane.engine.removePath(path.id, now: now)
        for number in path.socketNumbers { plane.removeSocket(number) }
        paths.removeAll { $0 === path }
    }
}
