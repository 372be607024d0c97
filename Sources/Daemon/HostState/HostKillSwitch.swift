import Glibc
import Host
import Packet
import Runtime
import Settings

/// A client's kill switch in the host's firewall. It follows the server's addresses, local networks and the
/// tunnels of other bondds. It outlives bondd by its table in the kernel, and a reboot by a marker on disk.
package struct HostKillSwitch {
    /// The minimum time between repairs. Traffic leaves until the table is restored, so this is short;
    /// setting a table takes less than a millisecond.
    static let repairPause = Interval.milliseconds(20)

    /// The table that was set, or nil when the kill switch is off.
    private(set) var table: FirewallTable?
    /// Why it could not be set.
    private(set) var problem: String?
    /// Whether `bondd unlock` was used since the configuration was read.
    private var isUnlocked = false
    /// The last known addresses of the server's names.
    private var memory: EndpointMemory
    /// The endpoints that paths use now.
    private var inUse: [Endpoint] = []
    private var marker: KillSwitchMarker?
    private var pace = KillSwitchPace()
    let directory: String
    let log: Log

    /// The kill switch of a tunnel, which is not set yet.
    /// - Parameter directory: the state directory.
    init(directory: String, interface: String, log: Log) {
        (self.directory, self.log) = (directory, log)
        memory = EndpointMemory(directory: directory, interface: interface)
    }

    /// Whether a configuration asks for it and `bondd unlock` was not used since it was read.
    func isWanted(by configuration: Configuration) -> Bool {
        if case .client(let client) = configuration.role { client.killSwitch && !isUnlocked } else { false }
    }

    /// The configuration was read again, which ends the effect of `bondd unlock`.
    mutating func noteConfiguration() { isUnlocked = false }

    // MARK: Setting and lifting

    /// Sets it before the tunnel exists, and removes stale kill switches.
    /// - Throws: `HostError`, among them `foreignInterface` when an interface with the tunnel's name is not
    ///   bondd's.
    mutating func begin(
        for configuration: Configuration, _ socket: borrowing FirewallSocket, _ netlink: borrowing Netlink
    ) throws(HostError) {
        try Self.refuseForeign(configuration.tunnel.interface, netlink)
        try set(for: configuration, socket, netlink)
        removeLeftovers(of: configuration, socket, netlink)
        // The stale ones no longer count as other tunnels.
        renew(for: configuration, socket, netlink)
    }

    /// Sets it, or updates it if anything has changed.
    /// - Throws: `HostError`: a protection that was not set must not be claimed.
    mutating func set(
        for configuration: Configuration, _ socket: borrowing FirewallSocket, _ netlink: borrowing Netlink
    ) throws(HostError) {
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
        try admit(KillSwitch.Tunnel(interface: interface, endpoints: endpoints), socket, netlink)
    }

    /// Updates it if anything has changed, and records a failure in `problem`.
    mutating func renew(
        for configuration: Configuration, _ socket: borrowing FirewallSocket, _ netlink: borrowing Netlink
    ) {
        guard isWanted(by: configuration) else { return }
        do throws(HostError) {
            try set(for: configuration, socket, netlink)
            problem = nil
        } catch {
            if problem != error.description { log(.error, error.description) }
            problem = error.description
        }
    }

    /// Restores the table if another program has changed it; otherwise updates it, because another bondd may have
    /// started or ended. Called when the ruleset has changed.
    /// - Returns: when to call it again without another change; nil if that is not needed.
    mutating func check(
        for configuration: Configuration, _ socket: borrowing FirewallSocket, _ netlink: borrowing Netlink,
        now: Instant
    ) -> Instant? {
        guard let table else { return nil }
        if let later = pace.wait(now: now) { return later }
        if socket.holds(table) {
            if let later = pace.beginRenewal(now: now) { return later }
            renew(for: configuration, socket, netlink)
            return nil
        }
        defer {
            if pace.repaired(now: now) {
                log(.warning, "another program changed the firewall table \(table.name); it is restored")
            }
        }
        do throws(HostError) {
            try socket.replace(table)
            return nil
        } catch {
            log(.error, error.description)
            return now + .seconds(1)
        }
    }

    /// The packets that it has refused so far.
    func refusedPackets(_ socket: borrowing FirewallSocket) -> UInt64 {
        guard let table else { return 0 }
        let counts = (try? socket.counts(table: table.name)) ?? [:]
        return counts[FirewallTable.refused]?.packets ?? 0
    }

    /// Lifts it because the configuration does not ask for it.
    mutating func lift(_ interface: String, _ socket: borrowing FirewallSocket) {
        (table, problem) = (nil, nil)
        forget(interface)
        do throws(HostError) {
            let wasThere = try socket.remove(table: FirewallTable.killSwitchName(interface: interface))
            if wasThere { log(.warning, "the kill switch is lifted, as the configuration has none") }
        } catch {
            log(.debug, error.description)
        }
    }

    /// Lifts it until the configuration is read again.
    /// - Returns: whether there was one.
    mutating func unlock(_ interface: String, _ socket: borrowing FirewallSocket) throws(HostError) -> Bool {
        let wasThere = try socket.remove(table: FirewallTable.killSwitchName(interface: interface))
        (isUnlocked, table, problem) = (true, nil, nil)
        forget(interface)
        if wasThere { log(.warning, "the kill switch is lifted, as bondd unlock was used") }
        return wasThere
    }

    private mutating func remember(_ new: KillSwitchMarker) {
        guard new != marker else { return }
        do throws(HostError) {
            try new.write(to: directory)
            marker = new
        } catch {
            log(
                .warning,
                "\(error.description); it would be missing after a reboot with a damaged configuration")
            // One warning is enough.
            marker = new
        }
    }

    private mutating func forget(_ interface: String) {
        marker = nil
        KillSwitchMarker.remove(interface: interface, from: directory)
    }

    // MARK: Exceptions

    /// The addresses that the server's name last had.
    func rememberedEndpoints(of name: HostPort) -> [Endpoint] { memory.endpoints(of: name) }

    /// The server's name was resolved.
    /// - Returns: whether its addresses are new.
    mutating func learn(_ resolution: Resolver.Resolution) -> Bool {
        do throws(HostError) {
            return try memory.learn(resolution.endpoints, of: resolution.name)
        } catch {
            log(.warning, error.description)
            return true
        }
    }

    /// Paths use these endpoints now.
    /// - Returns: whether they are new.
    mutating func use(_ endpoints: [Endpoint]) -> Bool {
        guard endpoints != inUse else { return false }
        inUse = endpoints
        return true
    }

    /// The server's endpoints: those in use, whatever the file says by now, and those in the file.
    private func endpoints(of client: Configuration.Client) -> [Endpoint] {
        var endpoints: [Endpoint] = []
        for endpoint in inUse + client.allEndpoints.flatMap({ memory.endpoints(of: $0) })
        where !endpoints.contains(endpoint) {
            endpoints.append(endpoint)
        }
        // Sorted, so that a path's change of endpoint does not change the table.
        return endpoints.sorted { $0.description < $1.description }
    }

    /// The present local networks.
    static func networks(
        besides tunnel: String, _ netlink: borrowing Netlink
    ) throws(HostError) -> [LocalNetwork] {
        LocalNetwork.find(in: try netlink.interfaces(), routes: try netlink.routes(), besides: tunnel)
    }

    /// The tunnels of other bondds with a kill switch.
    static func others(
        than interface: String, _ socket: borrowing FirewallSocket
    ) throws(HostError) -> [KillSwitch.Tunnel] {
        try socket.killSwitches().filter { $0.interface != interface }
    }

    /// - Throws: `HostError.foreignInterface` when an interface with the tunnel's name exists and can't be
    ///   bondd's.
    private static func refuseForeign(
        _ interface: String, _ netlink: borrowing Netlink
    ) throws(HostError) {
        guard let there = try netlink.interface(named: interface) else { return }
        guard there.kind == "tun" else {
            throw .foreignInterface(interface, kind: there.kind.map { "a \($0) interface" } ?? "hardware")
        }
        // A TUN interface has a carrier only while a program has it open.
        if there.hasCarrier { throw .foreignInterface(interface, kind: "another program's") }
    }
}
