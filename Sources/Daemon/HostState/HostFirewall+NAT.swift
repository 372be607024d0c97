import Host
import Packet
import Settings

// A server's way out for its clients.
extension HostFirewall {
    /// The tunnel's networks, if clients are to reach the internet.
    private var networks: [CIDR]? {
        guard case .server(let server) = configuration.role, server.nat?.enabled == true else { return nil }
        return configuration.tunnel.addresses.map(\.network)
    }

    /// Whether clients are to reach the internet.
    var wantsNAT: Bool { networks != nil }

    /// The IP versions of clients and services that the kernel does not forward.
    var closedFamilies: [IPAddress.Family] {
        let families = services.families.union(networks?.map(\.address.family) ?? []).union(lan.families)
        return [.v4, .v6].filter { families.contains($0) && !Forwarding.isOn($0) }
    }

    /// Does what `[nat]` says, with the routes as they are now, and looks who else has a say.
    func applyNAT() {
        guard case .server(let server) = configuration.role, let networks else {
            removeNAT()
            return
        }
        var problems: [String] = []
        do throws(HostError) {
            let exits = try netlink.defaultInterfaces(except: interface)
            let leaving = server.nat?.egress ?? exits
            let families = Set(networks.map(\.address.family))
            let table = FirewallTable.nat(
                interface: interface, networks: networks, behindClients: clientNetworks, egress: leaving,
                opened: forwarding.closed(families), allowsInbound: server.nat?.allowsInbound ?? false)
            if table != nat {
                try socket.replace(table)
                log(
                    .info, "clients reach the internet through this host",
                    ["egress": leaving.joined(separator: " "), "table": table.name])
            }
            (nat, egress) = (table, leaving)
            do throws(HostError) {
                try forwarding.enable(families, exits: Array(Set(exits + leaving)).sorted())
            } catch {
                problems.append("\(error.description); clients reach no further than this host")
            }
            if leaving.isEmpty {
                problems.append(
                    "there is no default route, so clients reach no further than this host; give it one or write [nat] egress"
                )
            }
            problems += try ForeignFirewall.find(
                socket, tunnel: interface, networks: networks, egress: leaving
            ).map(\.sentence)
        } catch {
            problems.append(error.description)
        }
        for problem in problems where !natProblems.contains(problem) { log(.warning, problem) }
        natProblems = problems
    }

    /// Puts everything back as it was before `[nat]`, also what an earlier run left that was killed.
    func removeNAT() {
        (nat, egress, natProblems) = (nil, [], [])
        do throws(HostError) {
            _ = try socket.remove(table: FirewallTable.natName(interface: interface))
        } catch {
            log(.debug, error.description)
        }
        if services.families.isEmpty && lan.families.isEmpty { restoreForwarding() }
    }

    /// Puts forwarding back as it was.
    func restoreForwarding() {
        let others = forwarding.hasChanged ? netlink.forwardingNeeds(besides: ownInterfaces) : []
        if let first = others.first { log(.info, "forwarding stays on, as \(first) may need it") }
        let isShared = !others.isEmpty
        for problem in forwarding.restore(isShared: isShared) { log(.warning, problem) }
    }

    /// What keeps clients from the internet at this moment.
    var forwardingProblems: [String] {
        let switches = closedFamilies.map { family in
            let name = family == .v4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding"
            return
                "\(family == .v4 ? "IPv4" : "IPv6") is not forwarded, so \(wantsLAN ? "hosts of the LAN" : "clients") reach no further than this host; run: sysctl \(name)=1"
        }
        return natProblems + switches
    }

    /// Server: takes the networks behind its clients, which leave by it as well.
    func route(_ networks: [CIDR]) {
        guard networks != clientNetworks else { return }
        clientNetworks = networks
        if nat != nil { applyNAT() }
    }

    /// What can't be determined, or may be intended.
    var notices: [String] {
        let isJudged = networks != nil || !services.list.isEmpty || wantsLAN
        return (isJudged ? [ForeignFirewall.blindSpot].compactMap(\.self) : [])
            + input.filter { !$0.isProblem }.map(\.sentence)
    }
}
