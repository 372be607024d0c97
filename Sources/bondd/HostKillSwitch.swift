import Control
import Glibc
import Packet
import Settings

/// A client's kill switch in the host's firewall. It follows the server's addresses, the host's own networks and other
/// bondds' tunnels, and outlives bondd: by its table in the kernel, and by a marker on the disk over a boot.
struct HostKillSwitch {
    /// The least time between two times that it is put back. Until then everything leaves, so it is short; a table costs less
    /// than a millisecond.
    static let repairPause = Interval.milliseconds(20)

    /// The table as it was set; nil when there is none.
    private(set) var table: FirewallTable?
    /// Why it is not as it should be.
    private(set) var problem: String?
    /// Whether `bondd unlock` was used since the configuration was read.
    private var isUnlocked = false
    /// The addresses that the server's names last had.
    private var memory: EndpointMemory
    /// Where paths look for the server now.
    private var inUse: [Endpoint] = []
    private var marker: KillSwitchMarker?
    private let directory: String
    private let log: Log

    /// The kill switch of the tunnel with this interface, which is not set yet.
    /// - Parameter directory: where bondd keeps what outlives it.
    init(directory: String, interface: String, log: Log) {
        (self.directory, self.log) = (directory, log)
        memory = EndpointMemory(directory: directory, interface: interface)
    }

    /// Whether a configuration has it, and `bondd unlock` was not used since that was read.
    func isWanted(by configuration: Configuration) -> Bool {
        if case .client(let client) = configuration.role { client.killSwitch && !isUnlocked } else { false }
    }

    /// The configuration was read: `bondd unlock` counts no more.
    mutating func noteConfiguration() { isUnlocked = false }

    // MARK: Setting and lifting

    /// Sets it before there is a tunnel, and lifts what was left behind of others.
    /// - Throws: `ControlError`; of an interface that has the tunnel's name and is none of bondd's, `foreignInterface`.
    mutating func begin(
        for configuration: Configuration, _ socket: borrowing FirewallSocket, _ netlink: borrowing Netlink
    ) throws(ControlError) {
        try Self.refuseForeign(configuration.tunnel.interface, netlink)
        try set(for: configuration, socket, netlink)
        removeLeftovers(of: configuration, socket, netlink)
        // Without those that were lifted.
        renew(for: configuration, socket, netlink)
    }

    /// Sets it, or changes what has changed.
    /// - Throws: `ControlError`, as a protection that is not there must not be claimed.
    mutating func set(
        for configuration: Configuration, _ socket: borrowing FirewallSocket, _ netlink: borrowing Netlink
    ) throws(ControlError) {
        guard case .client(let client) = configuration.role else { return }
        let interface = configuration.tunnel.interface
        let endpoints = endpoints(of: client)
        let wanted = FirewallTable.killSwitch(
            KillSwitch(
                interface: interface, endpoints: endpoints, allowsNames: endpoints.isEmpty,
                networks: client.killSwitchAllowsLAN ? try Self.networks(besides: interface, netlink) : [],
                others: try Self.others(than: interface, socket)))
        remember(
            KillSwitchMarker(
                interface: interface, file: configuration.file, endpoints: endpoints,
                allowsLAN: client.killSwitchAllowsLAN))
        guard wanted != table else { return }
        try socket.replace(wanted)
        if table == nil {
            log(
                .info, "the kill switch is on: nothing leaves outside the tunnel",
                ["lan": client.killSwitchAllowsLAN ? "stays reachable" : "refused"])
        }
        if endpoints.isEmpty {
            log(
                .warning,
                "no address of the server is known yet; until one is, names may be looked up outside the tunnel"
            )
        }
        table = wanted
    }

    /// Sets it again where something has changed, and notes what is wrong.
    mutating func renew(
        for configuration: Configuration, _ socket: borrowing FirewallSocket, _ netlink: borrowing Netlink
    ) {
        guard isWanted(by: configuration) else { return }
        do throws(ControlError) {
            try set(for: configuration, socket, netlink)
            problem = nil
        } catch {
            if problem != error.description { log(.error, error.description) }
            problem = error.description
        }
    }

    /// Lifts it, as the configuration has none.
    mutating func lift(_ interface: String, _ socket: borrowing FirewallSocket) {
        (table, problem) = (nil, nil)
        forget(interface)
        do throws(ControlError) {
            let wasThere = try socket.remove(table: FirewallTable.killSwitchName(interface: interface))
            if wasThere { log(.warning, "the kill switch is lifted, as the configuration has none") }
        } catch {
            log(.debug, error.description)
        }
    }

    /// Lifts it until the configuration is read again.
    /// - Returns: whether there was one.
    mutating func unlock(_ interface: String, _ socket: borrowing FirewallSocket) throws(ControlError) -> Bool
    {
        let wasThere = try socket.remove(table: FirewallTable.killSwitchName(interface: interface))
        (isUnlocked, table, problem) = (true, nil, nil)
        forget(interface)
        if wasThere { log(.warning, "the kill switch is lifted, as bondd unlock was used") }
        return wasThere
    }

    private mutating func remember(_ new: KillSwitchMarker) {
        guard new != marker else { return }
        do throws(ControlError) {
            try new.write(to: directory)
            marker = new
        } catch {
            log(
                .warning,
                "\(error.description); after a boot with a damaged configuration it would be missing")
            // Once is enough to say so.
            marker = new
        }
    }

    private mutating func forget(_ interface: String) {
        marker = nil
        KillSwitchMarker.remove(interface: interface, from: directory)
    }

    // MARK: What it lets through

    /// The addresses that the server's name last had.
    func rememberedEndpoints(of name: HostPort) -> [Endpoint] { memory.endpoints(of: name) }

    /// The server's name was looked up.
    /// - Returns: whether that was news.
    mutating func learn(_ resolution: Resolver.Resolution) -> Bool {
        do throws(ControlError) {
            return try memory.learn(resolution.endpoints, of: resolution.name)
        } catch {
            log(.warning, error.description)
            return true
        }
    }

    /// Where paths look for the server now.
    /// - Returns: whether that was news.
    mutating func use(_ endpoints: [Endpoint]) -> Bool {
        guard endpoints != inUse else { return false }
        inUse = endpoints
        return true
    }

    /// Where the server may be: what carries the present session first, whatever a file says by now.
    private func endpoints(of client: Configuration.Client) -> [Endpoint] {
        var endpoints: [Endpoint] = []
        for endpoint in inUse + client.allEndpoints.flatMap({ memory.endpoints(of: $0) })
        where !endpoints.contains(endpoint) {
            endpoints.append(endpoint)
        }
        // In an order of their own, so that a path's change from one to another is none of the table's.
        return endpoints.sorted { $0.description < $1.description }
    }

    /// The host's own networks as they are now.
    private static func networks(
        besides tunnel: String, _ netlink: borrowing Netlink
    ) throws(ControlError) -> [LocalNetwork] {
        LocalNetwork.find(in: try netlink.interfaces(), routes: try netlink.routes(), besides: tunnel)
    }

    /// Other bondds' tunnels that have a kill switch, and are there.
    private static func others(
        than interface: String, _ socket: borrowing FirewallSocket
    ) throws(ControlError) -> [KillSwitch.Tunnel] {
        try socket.killSwitches().filter { $0.interface != interface }
    }

    /// - Throws: `ControlError.foreignInterface` when an interface that has the tunnel's name is none that bondd may make.
    private static func refuseForeign(
        _ interface: String, _ netlink: borrowing Netlink
    ) throws(ControlError) {
        guard let there = try netlink.interface(named: interface) else { return }
        guard there.kind == "tun" else {
            throw .foreignInterface(interface, kind: there.kind.map { "a \($0) interface" } ?? "hardware")
        }
        // One that nobody has open has no carrier, and may be made bondd's own.
        if there.hasCarrier { throw .foreignInterface(interface, kind: "another program's") }
    }

    // MARK: What was left behind

    /// Removes kill switches that nobody will lift any more: of tunnels that this configuration had under another name, and of
    /// those that are not there and that no configuration asks for.
    func removeLeftovers(
        of configuration: Configuration, _ socket: borrowing FirewallSocket, _ netlink: borrowing Netlink
    ) {
        let own = configuration.tunnel.interface
        let markers = KillSwitchMarker.all(in: directory).filter { $0.interface != own }
        for marker in markers
        where marker.isOf(configuration.file) && !Self.isThere(marker.interface, netlink) {
            marker.remove(from: directory)
        }
        do throws(ControlError) {
            for left in try socket.killSwitches() where left.interface != own {
                guard !Self.isThere(left.interface, netlink) else { continue }
                if let marker = markers.first(where: { $0.interface == left.interface }),
                    !marker.isOf(configuration.file), marker.isAsked
                {
                    log(
                        .warning,
                        "the kill switch of \(left.interface) holds although its bondd does not run; start that, or lift it: bondd unlock",
                        ["configuration": marker.file])
                    continue
                }
                _ = try socket.remove(table: FirewallTable.killSwitchName(interface: left.interface))
                KillSwitchMarker.remove(interface: left.interface, from: directory)
                log(
                    .warning, "the kill switch of another interface is lifted, as nothing has that interface",
                    ["interface": left.interface])
            }
        } catch {
            log(.warning, error.description)
        }
    }

    /// Whether a bondd has the tunnel: its interface goes with it.
    private static func isThere(_ interface: String, _ netlink: borrowing Netlink) -> Bool {
        (try? netlink.interface(named: interface))??.kind == "tun"
    }

    /// Sets what the marker of a configuration says that can't be used, before bondd ends.
    static func hold(file: String, directory: String, log: Log) {
        for marker in KillSwitchMarker.all(in: directory) where marker.isOf(file) {
            do throws(ControlError) {
                let socket = try FirewallSocket()
                let netlink = try Netlink()
                let there = try netlink.interface(named: marker.interface)
                let wanted = FirewallTable.killSwitch(
                    KillSwitch(
                        interface: marker.interface, endpoints: marker.endpoints,
                        networks: marker.allowsLAN ? try networks(besides: marker.interface, netlink) : [],
                        others: try others(than: marker.interface, socket),
                        isClosed: there != nil && there?.kind != "tun"))
                if !socket.holds(wanted) { try socket.replace(wanted) }
                log(
                    .error,
                    "bondd can't start, so the kill switch holds as it was last set; correct the configuration, or lift it: bondd unlock",
                    ["interface": marker.interface])
            } catch {
                log(.error, "the kill switch of \(marker.interface) can't be set: \(error.description)")
            }
        }
    }
}

extension KillSwitchMarker {
    /// Whether its configuration still asks for it, or may, as it can't be read.
    fileprivate var isAsked: Bool {
        guard access(file, F_OK) == 0 else { return false }
        guard let configuration = try? Configuration(reading: file, keys: .leave) else { return true }
        guard case .client(let client) = configuration.role else { return false }
        return client.killSwitch && configuration.tunnel.interface == interface
    }
}
