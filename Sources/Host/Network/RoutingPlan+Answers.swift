import Packet
import Settings

// Connections that arrive on an uplink are answered through it, and name servers are reached over it.
extension RoutingPlan {
    /// Maximum number of an uplink's routes to further networks in its table: replies to a LAN's other networks
    /// use them. A host with the internet's routing table gets none of its routes there.
    private static let mostFurtherRoutes = 128

    /// After the paths' own rules, because packets that carry the tunnel may have these marks as well.
    static let arrivalPriority: UInt32 = 1191
    static let answerPriority: UInt32 = 1192
    /// Where evaluation continues for arriving packets, as if they had no mark.
    static let beyondPriority: UInt32 = 1193

    /// The rules common to all uplinks. IPv4's reverse-path filter looks up the route back as if the reply came
    /// from where the packet goes, this host ("lo") or its output interface, and where it uses marks, with the
    /// packet's mark.
    var arrivalRules: [RoutingRule] {
        guard paths.contains(where: { $0.number != nil && $0.addresses.contains { $0.family == .v4 } }) else {
            return []
        }
        // A packet that pretends to come from a network elsewhere is still rejected.
        var own = RoutingRule(.v4, priority: Self.arrivalPriority, table: NetworkRoute.mainTable)
        (own.mark, own.mask) = (labelled(ReturnMark.arrivalKind), ReturnMark.kindMask)
        own.suppressedPrefix = 0
        // A target for goto that matches nothing.
        let table = RoutingTable.number(owner: tunnel, slot: RoutingTable.tunnelSlot)
        var beyond = RoutingRule(.v4, priority: Self.beyondPriority, table: table)
        beyond.mark = .max
        return [own, beyond]
    }

    /// The rules of a path for replies.
    func answerRules(_ path: Path) -> [RoutingRule] {
        guard let number = path.number else { return [] }
        let table = RoutingTable.number(owner: tunnel, slot: path.slot)
        var rules: [RoutingRule] = []
        for family in [IPAddress.Family.v4, .v6]
        where path.addresses.contains(where: { $0.family == family }) {
            var answer = RoutingRule(family, priority: Self.answerPriority, table: table)
            (answer.mark, answer.mask) = (ReturnMark.uplink(number), ReturnMark.mask)
            rules.append(answer)
            // IPv6 has no reverse-path filter that consults rules.
            guard family == .v4 else { continue }
            var forward = RoutingRule(family, priority: Self.pathPriority, table: 0)
            (forward.mark, forward.mask) = (labelled(ReturnMark.arrival(number)), ReturnMark.mask)
            (forward.input, forward.target) = (path.name, Self.beyondPriority)
            var back = RoutingRule(family, priority: Self.answerPriority, table: table)
            (back.mark, back.mask) = (ReturnMark.arrival(number), ReturnMark.mask)
            // Replies of hosts on the uplink's link, to which a port is forwarded, arrive on it with their mark.
            var neighbour = RoutingRule(family, priority: Self.pathPriority, table: table)
            (neighbour.mark, neighbour.mask) = (ReturnMark.answerKind, ReturnMark.answerMask)
            neighbour.suppressedPrefix = 0
            rules += [forward, back, neighbour]
        }
        return rules
    }

    /// Labels a mark with the owner, in bits that do not affect matching, for rules whose table does not
    /// identify it.
    private func labelled(_ mark: UInt32) -> UInt32 {
        mark | RoutingTable.number(owner: tunnel, slot: RoutingTable.tunnelSlot) & ~ReturnMark.mask
    }

    /// The rules that route queries to name servers past the tunnel, over a path.
    func nameRules(_ path: Path) -> [RoutingRule] {
        let table = RoutingTable.number(owner: tunnel, slot: path.slot)
        return path.nameServers.flatMap { server in
            var question = RoutingRule(server.family, priority: Self.pathPriority, table: table)
            (question.destination, question.destinationPort) = (CIDR(host: server), 53)
            // The lookup of the reverse-path filter for the answers.
            let back = path.addresses.filter { $0.family == server.family && !$0.isLinkLocal }.map { local in
                var rule = RoutingRule(server.family, priority: Self.pathPriority, table: table)
                (rule.source, rule.destination) = (CIDR(host: local), CIDR(host: server))
                return rule
            }
            return [question] + (server.family == .v4 ? back : [])
        }
    }

    /// The routes through a path's interface that its own datagrams do not need.
    static func furtherRoutes(_ path: Path, from foreign: [NetworkRoute]) -> [NetworkRoute] {
        let routes = foreign.lazy.filter {
            $0.interface == path.interface && $0.table == NetworkRoute.mainTable && $0.gateway != nil
                && $0.network.length > 0
        }
        return Array(routes.prefix(mostFurtherRoutes))
    }
}
