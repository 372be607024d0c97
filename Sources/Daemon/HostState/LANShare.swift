import Host
import Packet
import Settings

/// `[lan]`: the networks behind a client that share its tunnel.
struct LANShare: FirewallJob {
    /// The server's terms for it. Empty before the first assignment.
    struct Terms: Equatable {
        /// The IP versions in which this host has an address in the tunnel.
        var families: Set<IPAddress.Family> = []
        /// The networks that the server routes here.
        var networks: [CIDR] = []
        /// The name servers that are reached through the tunnel.
        var resolvers: [IPAddress] = []
    }

    private(set) var table: FirewallTable?
    private(set) var families: Set<IPAddress.Family> = []
    private var terms = Terms()
    private var notices = Notices()

    var problems: [String] { notices.list }

    /// `[lan] interfaces`; empty on a server.
    static func interfaces(of configuration: Configuration) -> [String] {
        if case .client(let client) = configuration.role { client.lan } else { [] }
    }

    /// Takes the server's terms.
    mutating func share(_ terms: Terms, _ host: FirewallHost) {
        guard terms != self.terms else { return }
        self.terms = terms
        apply(host)
    }

    mutating func apply(_ host: FirewallHost) {
        let interfaces = Self.interfaces(of: host.configuration)
        guard !interfaces.isEmpty else {
            remove(host)
            return
        }
        var problems: [String] = []
        do throws(HostError) {
            let exits = try host.exits()
            problems += try Self.problems(of: interfaces, exits, host)
            let desired = FirewallTable.lan(
                interface: host.interface, lan: interfaces, networks: terms.networks,
                resolvers: NameServerPort.isServed() ? [] : terms.resolvers, opened: host.opened([.v4, .v6]))
            if desired != table {
                try host.socket.replace(desired)
                host.log(
                    .info, "the LAN shares the tunnel",
                    [
                        "interfaces": interfaces.joined(separator: " "),
                        "networks": terms.networks.map(\.description).joined(separator: " "),
                        "table": desired.name,
                    ])
            }
            table = desired
            families = terms.families
            do throws(HostError) {
                try host.forward(families, exits: exits)
            } catch {
                problems.append("\(error.description); hosts of the LAN reach no further than this one")
            }
        } catch {
            problems.append("\(error.description); hosts of the LAN may reach no further than this one")
        }
        notices.replace(with: problems, host.log)
    }

    /// The problems of the LAN's interfaces. A missing one may still come.
    private static func problems(
        of interfaces: [String], _ exits: [String], _ host: FirewallHost
    ) throws(HostError) -> [String] {
        var problems: [String] = []
        for name in interfaces {
            if exits.contains(name) {
                problems.append(
                    "\(name) of [lan] interfaces has a default route, so it is an uplink; remove the route, or \(name) from [lan] and list it as a path"
                )
            } else if try host.netlink.interface(named: name) == nil {
                problems.append(
                    "there is no interface \(name), which [lan] interfaces names; make it, or correct the name"
                )
            }
        }
        return problems
    }

    mutating func remove(_ host: FirewallHost) {
        (table, families, notices) = (nil, [], Notices())
        host.remove(table: FirewallTable.lanName(interface: host.interface))
    }
}
