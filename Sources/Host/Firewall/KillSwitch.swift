import Packet
import Settings

/// A client's kill switch: outside the tunnel, only the packets that carry the tunnel and those that keep an interface
/// configured may leave the host. Established connections get no exception.
package struct KillSwitch: Hashable, Sendable {
    /// The tunnel of another bondd on this host that also has a kill switch.
    package struct Tunnel: Hashable, Sendable {
        /// Its interface.
        package let interface: String
        /// The endpoints of its server.
        package let endpoints: [Endpoint]

        /// The tunnel of an interface.
        package init(interface: String, endpoints: [Endpoint]) {
            (self.interface, self.endpoints) = (interface, endpoints)
        }
    }

    /// The interface after which the table is named.
    package let name: String
    /// The tunnel's interface, through which everything may leave; nil if an interface with that name exists
    /// and is not bondd's.
    package let interface: String?
    /// The server's endpoints, which bondd's own datagrams may reach.
    package let endpoints: [Endpoint]
    /// Whether any program may look up names outside the tunnel, because no address of the server is known.
    package let allowsNames: Bool
    /// The local networks that stay reachable (`kill_switch_lan`).
    package let networks: [LocalNetwork]
    /// The tunnels of other bondds, which stay usable.
    package let others: [Tunnel]

    /// The limit on endpoints of one tunnel, which bounds the size of the table. A configuration with 16 paths and names of
    /// several addresses stays well below it.
    package static let mostEndpoints = 256

    /// A kill switch with these exceptions.
    /// - Parameter isClosed: whether the tunnel's interface is refused as well, because it is not bondd's.
    package init(
        interface: String, endpoints: [Endpoint], allowsNames: Bool = false, networks: [LocalNetwork] = [],
        others: [Tunnel] = [], isClosed: Bool = false
    ) {
        name = interface
        self.interface = isClosed ? nil : interface
        self.endpoints = Array(endpoints.prefix(Self.mostEndpoints))
        (self.allowsNames, self.networks, self.others) = (allowsNames, networks, others)
    }

    /// The start of the comment on each rule that accepts packets to an endpoint of the server.
    private static let commentBase = "bondd: server "

    static func comment(of endpoint: Endpoint) -> String { commentBase + endpoint.description }

    /// The endpoint named by such a comment.
    static func endpoint(in comment: String) -> Endpoint? {
        comment.hasPrefix(commentBase) ? Endpoint(String(comment.dropFirst(commentBase.count))) : nil
    }
}

extension FirewallSocket {
    /// The tunnels with a kill switch in this host's firewall, whether or not their bondd is running.
    package borrowing func killSwitches() throws(HostError) -> [KillSwitch.Tunnel] {
        var tunnels: [KillSwitch.Tunnel] = []
        for name in try inetTables() {
            guard let interface = FirewallTable.killSwitchInterface(name) else { continue }
            var endpoints: [Endpoint] = []
            for rule in try rules(family: FirewallBatch.inet, table: name) {
                guard endpoints.count < KillSwitch.mostEndpoints,
                    let endpoint = rule.comment.flatMap(KillSwitch.endpoint), !endpoints.contains(endpoint)
                else { continue }
                endpoints.append(endpoint)
            }
            tunnels.append(KillSwitch.Tunnel(interface: interface, endpoints: endpoints))
        }
        return tunnels.sorted { $0.interface < $1.interface }
    }

    /// Removes the kill switches of all tunnels on this host, whether or not a daemon is running, together with the markers
    /// that would restore them at the next start.
    /// - Parameter directory: the state directory.
    /// - Returns: the names of the tables removed.
    package borrowing func liftKillSwitches(
        directory: String = "/var/lib/bondd"
    ) throws(HostError) -> [String] {
        for marker in KillSwitchMarker.all(in: directory) { marker.remove(from: directory) }
        var lifted: [String] = []
        for name in try inetTables() where FirewallTable.killSwitchInterface(name) != nil {
            if try remove(table: name) { lifted.append(name) }
        }
        return lifted
    }
}
