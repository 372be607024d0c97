import Packet
import Settings

/// What a client wants of its host's routing: a table for each path, one for answers to what came in through the tunnel, and
/// one for a full tunnel.
///
///     1188    fwmark 0xss00B0DD/0xFF00FFFF oif IF lookup the path's table     the path's own datagrams (`TunnelMark`)
///     1189    from LOCAL to SERVER                lookup the path's table     what the reverse-path filter asks
///     1189    fwmark 0xB0DD/0xFFFF oif INTERFACE  lookup the path's table     bondd's other datagrams
///     1189    to a NAME SERVER, port 53           lookup the path's table     names asked outside the tunnel
///     1189    iif INTERFACE fwmark 0x9n000000/8   goto 1193                   what comes in by a path
///     1189    fwmark 0xA0000000/3                 lookup the path's, no default   answers to hosts on its link
///     1190    fwmark 0xBn000000/8                 lookup the return table     answers through the tunnel (`ReturnMark`)
///     1191    fwmark 0x90000000/4                 lookup main, no default     what the filter asks of what comes in
///     1192    fwmark 0x9n000000/8                 lookup the path's table     the same, of the rest
///     1192    fwmark 0xAn000000/8                 lookup the path's table     answers by an uplink
///     1193    nothing
///     32188   not fwmark 0xB0DD/0xFFFF            lookup the guard's table    routes that would lead past it (`RouteGuard`)
///     32189   all                                 lookup main, no default     the host's own networks: LAN, Docker …
///     32190   not fwmark 0xB0DD/0xFFFF            lookup the tunnel's table   all else, into the tunnel
///     33190   from the tunnel's ADDRESS           lookup the return table     answers, where nothing else leads anywhere
///
/// Those up to 1193 come before any that Tailscale (5210 to 5270) and the usual programs set, the next three after them and
/// before `lookup main`. The last one is behind it: a host without a default route of the family would not even begin an
/// answer that could be marked, and the reverse-path filter would take what comes for forged.
public struct RoutingPlan: Equatable, Sendable {
    /// A path, as routing sees it.
    public struct Path: Equatable, Sendable {
        /// Its table's slot.
        public var slot: UInt32
        /// Its interface.
        public var interface: UInt32
        /// Its name.
        public var name: String
        /// The interface's addresses.
        public var addresses: [IPAddress]
        /// Where the server is.
        public var endpoints: [IPAddress]
        /// The routers that it is told of, in place of those that the host knows.
        public var gateways: [IPAddress]
        /// The number in the marks of what came in by it (`ReturnMark.numbers`); nil: answers leave as routes lead.
        public var number: UInt32?
        /// The name servers that are asked over it, outside the tunnel.
        public var nameServers: [IPAddress] = []

        /// A path over an interface.
        public init(
            slot: UInt32, interface: UInt32, name: String, addresses: [IPAddress], endpoints: [IPAddress],
            gateways: [IPAddress]
        ) {
            (self.slot, self.interface, self.name) = (slot, interface, name)
            (self.addresses, self.endpoints, self.gateways) = (addresses, endpoints, gateways)
        }
    }

    /// Where a family's packets to anywhere go.
    public enum Anywhere: Equatable, Sendable {
        /// Where the host sends them.
        case beside
        /// Into the tunnel.
        case tunnel
        /// Nowhere: the tunnel has no address of the family, and beside it they must not go.
        case refused
    }

    /// Before l3mdev's 1000 there is nothing of interest; Tailscale begins at 5210.
    static let ownPriority: UInt32 = 1188
    static let pathPriority: UInt32 = 1189
    static let returnPriority: UInt32 = 1190
    static let lastResortPriority: UInt32 = 33190
    static let guardPriority: UInt32 = 32188
    /// `lookup main` has 32766.
    static let ownNetworksPriority: UInt32 = 32189
    static let tunnelPriority: UInt32 = 32190
    /// Any will do, as a table has one route to a network; IPv6 would make 1024 of none.
    static let metric: UInt32 = 189

    /// The tunnel's interface.
    public let tunnel: UInt32
    /// The paths.
    public var paths: [Path] = []
    /// Interfaces with the host's ways out, with their addresses: of paths, and others by which routes must not lead past a
    /// full tunnel.
    public var uplinks: [UInt32: [IPAddress]] = [:]
    /// Where IPv4 to anywhere goes.
    public var ipv4 = Anywhere.beside
    /// Where IPv6 to anywhere goes.
    public var ipv6 = Anywhere.beside

    /// The addresses that this host has in the tunnel.
    public var addresses: [IPAddress] = []
    /// The mark of packets that answer through the tunnel.
    public var returnMark = ReturnMark.value(interface: "bond0")
    /// Whether what answers through the tunnel has a way; otherwise it has none at all.
    public var canReturn = true

    /// Nothing wanted.
    public init(tunnel: UInt32) { self.tunnel = tunnel }

    /// The rules that carry it out.
    public var rules: [RoutingRule] {
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

    /// The routes that carry it out, given those that the host has.
    public func routes(beside existing: [NetworkRoute]) -> [NetworkRoute] {
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

    /// The host's routes that would lead a full tunnel's traffic past it.
    public func bypass(of foreign: [NetworkRoute]) -> RouteGuard {
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

    /// The host's routes through the path's interface that may lead to the server, each network once: from the main table
    /// rather than another, with the lowest metric.
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
    /// All addresses of a family.
    static func anywhere(_ family: IPAddress.Family) -> CIDR {
        CIDR(family == .v4 ? IPAddress(v4: 0) : IPAddress(v6High: 0, low: 0), length: 0)!
    }
}
