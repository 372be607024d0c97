import Packet
import Settings

/// A client's desired routing: a table for each path, one for replies to connections that came in through the
/// tunnel, and one for a full tunnel. Each line has a rule's priority, its packets, the table that it looks up,
/// and its purpose:
///
///     1188   fwmark 0xss00B0DD/0xFF00FFFF oif IF  the path's table         the path's datagrams (`TunnelMark`)
///     1189   from LOCAL to SERVER                 the path's table         lookups of the reverse-path filter
///     1189   fwmark 0xB0DD/0xFFFF oif INTERFACE   the path's table         bondd's other datagrams
///     1189   to a NAME SERVER, port 53            the path's table         names asked outside the tunnel
///     1189   iif INTERFACE fwmark 0x9n000000/8    goto 1193                packets arriving on a path
///     1189   fwmark 0xA0000000/3                  the path's, no default   replies to hosts on its link
///     1190   fwmark 0xBn000000/8                  the return table         tunnel replies (`ReturnMark`)
///     1191   fwmark 0x90000000/4                  main, no default         the filter, arriving packets
///     1192   fwmark 0x9n000000/8                  the path's table         the same, for the rest
///     1192   fwmark 0xAn000000/8                  the path's table         replies through an uplink
///     1193   nothing
///     32188  not fwmark 0xB0DD/0xFFFF             the guard's table        bypassing routes (`RouteGuard`)
///     32189  all                                  main, no default         own networks: LAN, Docker …
///     32190  not fwmark 0xB0DD/0xFFFF             the tunnel's table       all else, into the tunnel
///     33190  from the tunnel's ADDRESS            the return table         replies without any other route
///
/// Priorities up to 1193 precede those of Tailscale (5210 to 5270) and the usual programs; the next three
/// follow them and precede `lookup main`. The last one follows it: without a default route of the family, a
/// host would not even start a reply that could be marked, and the reverse-path filter would reject the
/// arriving packet.
package struct RoutingPlan: Equatable, Sendable {
    /// A path, as seen by routing.
    package struct Path: Equatable, Sendable {
        /// The slot of its table.
        package var slot: UInt32
        /// The index of its interface.
        package var interface: UInt32
        /// The name of its interface.
        package var name: String
        /// The interface's addresses.
        package var addresses: [IPAddress]
        /// The server's addresses.
        package var endpoints: [IPAddress]
        /// The routers from the configuration, which replace those the host knows.
        package var gateways: [IPAddress]
        /// The number in the marks of connections that came in by it (`ReturnMark.numbers`); nil means replies
        /// follow the routes.
        package var number: UInt32?
        /// The name servers queried over it, outside the tunnel.
        package var nameServers: [IPAddress] = []

        /// A path over an interface.
        package init(
            slot: UInt32, interface: UInt32, name: String, addresses: [IPAddress], endpoints: [IPAddress],
            gateways: [IPAddress]
        ) {
            (self.slot, self.interface, self.name) = (slot, interface, name)
            (self.addresses, self.endpoints, self.gateways) = (addresses, endpoints, gateways)
        }
    }

    /// The route of a family's packets to any destination.
    package enum Anywhere: Equatable, Sendable {
        /// The host's own routes, past the tunnel.
        case beside
        /// Into the tunnel.
        case tunnel
        /// Refused: the tunnel has no address of the family, and packets must not bypass it.
        case refused
    }

    /// Nothing relevant precedes l3mdev's 1000; Tailscale starts at 5210.
    static let ownPriority: UInt32 = 1188
    static let pathPriority: UInt32 = 1189
    static let returnPriority: UInt32 = 1190
    static let lastResortPriority: UInt32 = 33190
    static let guardPriority: UInt32 = 32188
    /// `lookup main` has 32766.
    static let ownNetworksPriority: UInt32 = 32189
    static let tunnelPriority: UInt32 = 32190
    /// Any value works, since each table has one route for a network. It must not be 0, which IPv6 turns into
    /// 1024.
    static let metric: UInt32 = 189

    /// The tunnel's interface.
    package let tunnel: UInt32
    /// The paths.
    package var paths: [Path] = []
    /// The egress interfaces with their addresses: those of paths, and others by which routes must not bypass a
    /// full tunnel.
    package var uplinks: [UInt32: [IPAddress]] = [:]
    /// The route of IPv4 packets to any destination.
    package var ipv4 = Anywhere.beside
    /// The route of IPv6 packets to any destination.
    package var ipv6 = Anywhere.beside

    /// This host's addresses in the tunnel.
    package var addresses: [IPAddress] = []
    /// The mark of replies through the tunnel.
    package var returnMark = ReturnMark.value(interface: "bond0")
    /// Whether replies through the tunnel have a route; otherwise they have none at all.
    package var canReturn = true

    /// An empty plan.
    package init(tunnel: UInt32) { self.tunnel = tunnel }

    /// The plan's rules.
    package var rules: [RoutingRule] {
        var rules = paths.flatMap(rules) + returnRules
        rules += arrivalRules + paths.flatMap(answerRules) + paths.flatMap(nameRules)
        let table = RoutingTable.number(owner: tunnel, slot: RoutingTable.tunnelSlot)
        for (family, anywhere) in families where anywhere != .beside {
            var own = RoutingRule(family, priority: Self.ownNetworksPriority, table: NetworkRoute.mainTable)
            own.suppressedPrefix = 0
            own.label = table
            var rest = RoutingRule(family, priority: Self.tunnelPriority, table: table)
            (rest.mark, rest.mask) = (TunnelMark.value, TunnelMark.mask)
            rest.isInverted = true
            var first = rest
            first.priority = Self.guardPriority
            first.table = RoutingTable.number(owner: tunnel, slot: RoutingTable.guardSlot)
            rules += [first, own, rest]
        }
        return rules
    }

    /// The plan's routes, given the host's existing ones.
    package func routes(beside existing: [NetworkRoute]) -> [NetworkRoute] {
        let foreign = existing.filter {
            $0.kind == .unicast && $0.table != NetworkRoute.localTable && $0.origin != NetworkRoute.ownOrigin
                && RoutingTable.owner(of: $0.table) == nil
        }
        var routes = paths.flatMap { self.routes(of: $0, from: foreign) }
        let table = RoutingTable.number(owner: tunnel, slot: RoutingTable.tunnelSlot)
        for (family, anywhere) in families where anywhere != .beside {
            var route = NetworkRoute(table: table, network: .anywhere(family), interface: tunnel)
            if anywhere == .refused { (route.kind, route.interface) = (.unreachable, 0) }
            routes.append(route)
        }
        routes += bypass(of: foreign).routes(
            table: RoutingTable.number(owner: tunnel, slot: RoutingTable.guardSlot), tunnel: tunnel,
            refused: Set(families.filter { $0.1 == .refused }.map(\.0)))
        for family in returnFamilies {
            let table = RoutingTable.number(owner: tunnel, slot: RoutingTable.returnSlot)
            var route = NetworkRoute(table: table, network: .anywhere(family), interface: tunnel)
            if !canReturn { (route.kind, route.interface) = (.unreachable, 0) }
            routes.append(route)
        }
        for i in routes.indices {
            (routes[i].metric, routes[i].origin) = (Self.metric, NetworkRoute.ownOrigin)
        }
        return routes
    }

    /// The host's routes that would bypass a full tunnel.
    package func bypass(of foreign: [NetworkRoute]) -> RouteGuard {
        RouteGuard(
            foreign, uplinks: uplinks,
            families: Set(families.filter { $0.1 != .beside }.map(\.0)))
    }

    private var families: [(IPAddress.Family, Anywhere)] { [(.v4, ipv4), (.v6, ipv6)] }

    private var returnFamilies: [IPAddress.Family] {
        [.v4, .v6].filter { family in addresses.contains { $0.family == family } }
    }

    private var returnRules: [RoutingRule] {
        let table = RoutingTable.number(owner: tunnel, slot: RoutingTable.returnSlot)
        var rules = returnFamilies.map { family in
            var rule = RoutingRule(family, priority: Self.returnPriority, table: table)
            (rule.mark, rule.mask) = (returnMark, ReturnMark.mask)
            return rule
        }
        for address in addresses {
            var rule = RoutingRule(address.family, priority: Self.lastResortPriority, table: table)
            rule.source = CIDR(host: address)
            rules.append(rule)
        }
        return rules
    }

    private func rules(_ path: Path) -> [RoutingRule] {
        let table = RoutingTable.number(owner: tunnel, slot: path.slot)
        var rules: [RoutingRule] = []
        for family in [IPAddress.Family.v4, .v6] {
            let locals = path.addresses.filter { $0.family == family }
            guard !locals.isEmpty else { continue }
            var own = RoutingRule(family, priority: Self.ownPriority, table: table)
            (own.mark, own.mask) = (TunnelMark.value(slot: path.slot), TunnelMark.pathMask)
            own.output = path.name
            var other = RoutingRule(family, priority: Self.pathPriority, table: table)
            (other.mark, other.mask, other.output) = (TunnelMark.value, TunnelMark.mask, path.name)
            rules += [own, other]
            for endpoint in path.endpoints where endpoint.family == family && !endpoint.isLinkLocal {
                for local in locals where !local.isLinkLocal {
                    var back = RoutingRule(family, priority: Self.pathPriority, table: table)
                    back.source = CIDR(host: local)
                    back.destination = CIDR(host: endpoint)
                    rules.append(back)
                }
            }
        }
        return rules
    }

    /// The host's routes through the path's interface that may lead to the server, one for each network: from
    /// the main table in preference to others, with the lowest metric.
    private func routes(of path: Path, from foreign: [NetworkRoute]) -> [NetworkRoute] {
        var candidates = foreign.filter { route in
            route.interface == path.interface
                && (route.network.length == 0 || route.gateway == nil
                    || path.endpoints.contains { route.network.contains($0) })
        }
        if path.number != nil { candidates += Self.furtherRoutes(path, from: foreign) }
        candidates.sort {
            ($0.table == NetworkRoute.mainTable ? 0 : 1, $0.metric)
                < ($1.table == NetworkRoute.mainTable ? 0 : 1, $1.metric)
        }
        let table = RoutingTable.number(owner: tunnel, slot: path.slot)
        for gateway in path.gateways.reversed() {
            var route = NetworkRoute(
                table: table, network: .anywhere(gateway.family), interface: path.interface)
            route.gateway = gateway
            candidates.insert(route, at: 0)
        }
        var networks: Set<CIDR> = []
        return candidates.compactMap { candidate in
            guard networks.insert(candidate.network).inserted else { return nil }
            var route = candidate
            route.table = table
            return route
        }
    }
}

extension CIDR {
    /// The network of all addresses of a family.
    static func anywhere(_ family: IPAddress.Family) -> CIDR {
        CIDR(family == .v4 ? IPAddress(v4: 0) : IPAddress(v6High: 0, low: 0), length: 0)!
    }
}
