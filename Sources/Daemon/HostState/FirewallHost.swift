import Host
import Packet
import Runtime
import Settings

/// What bondd's tables in the host's firewall share: the sockets to the kernel, the configuration, and
/// forwarding.
final class FirewallHost {
    let log: Log
    let socket: FirewallSocket
    let netlink: Netlink
    var configuration: Configuration
    private var forwarding: Forwarding

    /// - Parameter state: the state directory.
    /// - Throws: `HostError` if the kernel has no nftables.
    init(_ configuration: Configuration, state: String, log: Log) throws(HostError) {
        self.configuration = configuration
        self.log = log
        socket = try FirewallSocket()
        netlink = try Netlink()
        forwarding = Forwarding(directory: state, interface: configuration.tunnel.interface)
    }

    /// The tunnel's interface.
    var interface: String { configuration.tunnel.interface }

    /// The interfaces with a default route, without the tunnel's.
    func exits() throws(HostError) -> [String] { try netlink.defaultInterfaces(except: interface) }

    /// Removes a table, including one that an earlier run left.
    func remove(table: String) {
        do throws(HostError) {
            _ = try socket.remove(table: table)
        } catch {
            log(.debug, error.description)
        }
    }

    // MARK: - Forwarding

    /// The subset of these families whose forwarding was off before bondd switched it on.
    func opened(_ families: Set<IPAddress.Family>) -> Set<IPAddress.Family> { forwarding.closed(families) }

    /// Has the kernel forward these families.
    func forward(_ families: Set<IPAddress.Family>, exits: [String]) throws(HostError) {
        try forwarding.enable(families, exits: exits)
    }

    /// Restores forwarding, unless other interfaces need it.
    func restoreForwarding() {
        var own = [interface]
        if case .client(let client) = configuration.role { own += client.lan }
        let others = forwarding.hasChanged ? netlink.forwardingNeeds(besides: Set(own)) : []
        if let first = others.first { log(.info, "forwarding stays on, because \(first) may need it") }
        for problem in forwarding.restore(isShared: !others.isEmpty) { log(.warning, problem) }
    }
}

/// One of bondd's tables in the host's firewall: desired state that is compared with the kernel's and set
/// again.
protocol FirewallJob {
    /// The table as it was set; nil if there is none.
    var table: FirewallTable? { get }

    /// The IP versions that the kernel has to forward for it.
    var families: Set<IPAddress.Family> { get }

    /// Why the state is not as desired, a sentence each.
    var problems: [String] { get }

    /// Makes the kernel's state the desired one, with the configuration and the routes as they are now.
    mutating func apply(_ host: FirewallHost)

    /// Whether the kernel still has the table as it was set.
    func holds(_ host: FirewallHost) -> Bool

    /// Sets the table again after another program has changed it.
    mutating func repair(_ host: FirewallHost) throws(HostError)

    /// Removes the table, including one that an earlier run left.
    mutating func remove(_ host: FirewallHost)
}

extension FirewallJob {
    func holds(_ host: FirewallHost) -> Bool { table.map { host.socket.holds($0) } ?? true }

    mutating func repair(_ host: FirewallHost) throws(HostError) {
        if let table { try host.socket.replace(table) }
    }
}
