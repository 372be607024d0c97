import Host
import Packet
import Settings

// The networks behind a client that share its tunnel.
extension HostFirewall {
    /// `[lan] interfaces`; empty on a server.
    private var lanInterfaces: [String] {
        if case .client(let client) = configuration.role { client.lan } else { [] }
    }

    /// The interfaces that forwarding is switched on for.
    var ownInterfaces: Set<String> { Set(lanInterfaces + [interface]) }

    /// Whether a LAN shares the tunnel.
    var wantsLAN: Bool { !lanInterfaces.isEmpty }

    /// Takes what the server has assigned.
    func shareTunnel(_ terms: LANShare.Terms) {
        guard terms != lan.terms else { return }
        lan.terms = terms
        applyLAN()
    }

    /// Does what `[lan]` says, with the interfaces and routes as they are now.
    func applyLAN() {
        guard wantsLAN else {
            removeLAN()
            return
        }
        var problems: [String] = []
        do throws(HostError) {
            let exits = try netlink.defaultInterfaces(except: interface)
            problems += try lanProblems(exits)
            let all: Set<IPAddress.Family> = [.v4, .v6]
            let table = FirewallTable.lan(
                interface: interface, lan: lanInterfaces, networks: lan.terms.networks,
                resolvers: NameServerPort.isServed() ? [] : lan.terms.resolvers,
                opened: forwarding.closed(all))
            if table != lan.table {
                try socket.replace(table)
                log(
                    .info, "the LAN shares the tunnel",
                    [
                        "interfaces": lanInterfaces.joined(separator: " "),
                        "networks": lan.terms.networks.map(\.description).joined(separator: " "),
                        "table": table.name,
                    ])
            }
            lan.table = table
            lan.families = lan.terms.families
            do throws(HostError) {
                try forwarding.enable(lan.families, exits: exits)
            } catch {
                problems.append("\(error.description); hosts of the LAN reach no further than this one")
            }
        } catch {
            problems.append("\(error.description); hosts of the LAN may reach no further than this one")
        }
        for problem in problems where !lan.problems.contains(problem) { log(.warning, problem) }
        lan.problems = problems
    }

    /// What is wrong with the LAN's interfaces. One that is not there yet may come.
    private func lanProblems(_ exits: [String]) throws(HostError) -> [String] {
        var problems: [String] = []
        for name in lanInterfaces {
            if exits.contains(name) {
                problems.append(
                    "\(name) of [lan] interfaces has a default route, so it is an uplink; remove the route, or \(name) from [lan] and list it as a path"
                )
            } else if try netlink.interface(named: name) == nil {
                problems.append(
                    "there is no interface \(name), which [lan] interfaces names; make it, or correct the name"
                )
            }
        }
        return problems
    }

    /// Removes it, also what an earlier run left.
    func removeLAN() {
        (lan.table, lan.families, lan.problems) = (nil, [], [])
        do throws(HostError) {
            _ = try socket.remove(table: FirewallTable.lanName(interface: interface))
        } catch {
            log(.debug, error.description)
        }
    }
}
