import Packet
import Settings

/// A client's kill switch: nothing leaves the host outside the tunnel but what carries the tunnel, and what an interface
/// needs to have an address. Connections from before have no privilege.
public struct KillSwitch: Hashable, Sendable {
    /// A tunnel of another bondd on this host that has a kill switch as well.
    public struct Tunnel: Hashable, Sendable {
        /// Its interface.
        public let interface: String
        /// Where its server may be reached.
        public let endpoints: [Endpoint]
    }

    /// The interface that the table is named after.
    public let name: String
    /// The tunnel's interface, into which everything may go; nil when an interface of that name is none of bondd's.
    public let interface: String?
    /// Where bondd's datagrams to its server may go.
    public let endpoints: [Endpoint]
    /// Whether names may be looked up outside by any program, as none of the server's addresses is known.
    public let allowsNames: Bool
    /// The host's own networks that stay reachable (`kill_switch_lan`).
    public let networks: [LocalNetwork]
    /// Other bondds' tunnels, which must not be blocked.
    public let others: [Tunnel]

    /// The most endpoints of a tunnel: what a configuration with many paths and names may have, and a bound for a table.
    public static let mostEndpoints = 256

    /// One that lets only the tunnel's traffic leave, and what is named.
    /// - Parameter isClosed: whether nothing may leave by the interface, as it is none of bondd's.
    public init(
        interface: String, endpoints: [Endpoint], allowsNames: Bool = false, networks: [LocalNetwork] = [],
        others: [Tunnel] = [], isClosed: Bool = false
    ) {
        name = interface
        self.interface = isClosed ? nil : interface
        self.endpoints = Array(endpoints.prefix(Self.mostEndpoints))
        (self.allowsNames, self.networks, self.others) = (allowsNames, networks, others)
    }

    /// How the comment of a rule begins that lets the tunnel through to one of its server's endpoints.
    private static let commentBase = "bondd: server "

    static func comment(of endpoint: Endpoint) -> String { commentBase + endpoint.description }

    /// The endpoint that such a comment names.
    static func endpoint(in comment: String) -> Endpoint? {
        comment.hasPrefix(commentBase) ? Endpoint(String(comment.dropFirst(commentBase.count))) : nil
    }
}

extension FirewallSocket {
    /// The tunnels that have a kill switch in this host's firewall, whether their bondd runs or not.
    public borrowing func killSwitches() throws(ControlError) -> [KillSwitch.Tunnel] {
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

    /// Removes the kill switches of all tunnels of this host, whether a daemon runs or not, and what would set them again
    /// at the next start.
    /// - Parameter directory: where bondd keeps what outlives it.
    /// - Returns: their tables' names.
    public borrowing func liftKillSwitches(
        directory: String = "/var/lib/bondd"
    ) throws(ControlError) -> [String] {
        for marker in KillSwitchMarker.all(in: directory) { marker.remove(from: directory) }
        var lifted: [String] = []
        for name in try inetTables() where FirewallTable.killSwitchInterface(name) != nil {
            if try remove(table: name) { lifted.append(name) }
        }
        return lifted
    }
}
