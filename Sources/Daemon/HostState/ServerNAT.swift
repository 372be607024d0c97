import ControlProtocol
import Host
import Packet
import Settings

/// `[nat]`: a server's clients reach the internet through this host.
struct ServerNAT: FirewallJob {
    private(set) var table: FirewallTable?
    /// The interfaces by which clients leave.
    private(set) var egress: [String] = []
    /// The networks behind clients, whose hosts leave by it as well.
    private var clientNetworks: [CIDR] = []
    private var notices = Notices()

    var problems: [String] { notices.list }
    private(set) var families: Set<IPAddress.Family> = []

    /// The tunnel's networks; nil if clients are not to reach the internet.
    static func networks(of configuration: Configuration) -> [CIDR]? {
        guard case .server(let server) = configuration.role, server.nat?.enabled == true else { return nil }
        return configuration.tunnel.addresses.map(\.network)
    }

    /// Takes the networks behind the clients.
    mutating func route(_ networks: [CIDR], _ host: FirewallHost) {
        guard networks != clientNetworks else { return }
        clientNetworks = networks
        if table != nil { apply(host) }
    }

    /// Sets the table, and finds the firewalls of other programs that drop its packets.
    mutating func apply(_ host: FirewallHost) {
        guard case .server(let server) = host.configuration.role,
            let networks = Self.networks(of: host.configuration)
        else {
            remove(host)
            return
        }
        families = Set(networks.map(\.address.family))
        var problems: [String] = []
        do throws(HostError) {
            let exits = try host.exits()
            let leaving = server.nat?.egress ?? exits
            let wanted = FirewallTable.nat(
                interface: host.interface, networks: networks, behindClients: clientNetworks, egress: leaving,
                opened: host.opened(families), allowsInbound: server.nat?.allowsInbound ?? false)
            if wanted != table {
                try host.socket.replace(wanted)
                host.log(
                    .info, "clients reach the internet through this host",
                    ["egress": leaving.joined(separator: " "), "table": wanted.name])
            }
            (table, egress) = (wanted, leaving)
            do throws(HostError) {
                try host.forward(families, exits: Array(Set(exits + leaving)).sorted())
            } catch {
                problems.append("\(error.description); clients reach no further than this host")
            }
            if leaving.isEmpty {
                problems.append(
                    "there is no default route, so clients reach no further than this host; add one, or name the exits in [nat] egress"
                )
            }
            problems += try ForeignFirewall.find(
                host.socket, tunnel: host.interface, networks: networks, egress: leaving
            ).map(\.sentence)
        } catch {
            problems.append(error.description)
        }
        notices.replace(with: problems, host.log)
    }

    /// The exits and the counters; nil if there is no table.
    func status(_ host: FirewallHost) -> FirewallStatus.NAT? {
        guard let table else { return nil }
        var status = FirewallStatus.NAT(egress: egress)
        let counts = (try? host.socket.counts(table: table.name)) ?? [:]
        let (sent, received) = (counts[FirewallTable.outbound], counts[FirewallTable.inbound])
        (status.sentPackets, status.sentBytes) = (sent?.packets ?? 0, sent?.bytes ?? 0)
        (status.receivedPackets, status.receivedBytes) = (received?.packets ?? 0, received?.bytes ?? 0)
        return status
    }

    mutating func remove(_ host: FirewallHost) {
        (table, egress, families, notices) = (nil, [], [], Notices())
        host.remove(table: FirewallTable.natName(interface: host.interface))
    }
}
