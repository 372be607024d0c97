import CNetlink
import Packet
import Settings

extension FirewallTable {
    /// The table of the services carried by the kernel.
    package static func servicesName(interface: String) -> String {
        name("bondd_services", interface: interface)
    }

    /// The names of a family's sets.
    enum ServiceSet {
        /// Maps a port to its target.
        static func targets(_ family: IPAddress.Family) -> String { name("to", family) }
        /// Counts packets from users.
        static func inbound(_ family: IPAddress.Family) -> String { name("in", family) }
        /// Counts packets to users.
        static func outbound(_ family: IPAddress.Family) -> String { name("out", family) }
        /// Targets that may use their own services: their address twice.
        static func selves(_ family: IPAddress.Family) -> String { name("self", family) }
        /// Connections that were cut off.
        static func ended(_ family: IPAddress.Family) -> String { name("ended", family) }

        private static func name(_ base: String, _ family: IPAddress.Family) -> String {
            base + (family == .v4 ? "4" : "6")
        }
    }

    /// How long a connection that was ended is blocked, in ms. An idle TCP connection sends a keepalive after two
    /// hours (tcp_keepalive_time) and is reset then.
    package static let endedTime: UInt64 = 3 * 3600 * 1000

    /// The rules for services; the sets hold the services themselves.
    ///
    /// - prerouting: packets to a port of this host get another destination. For TCP only those that open a
    ///   connection: if conntrack is activated by this table, it takes the next segment of an existing
    ///   connection of this host for a new one.
    /// - postrouting: a host in the tunnel that uses its own service sees this host as the source; it would not
    ///   accept packets from itself.
    /// - forward: counts both directions of established connections, and blocks those that were ended.
    ///   Conntrack would take a late packet from a target for the start of a new connection, and NAT would even
    ///   give it the old addresses.
    ///
    /// - Parameter opened: families that were not forwarded before bondd started, and are only for services:
    ///   nothing else is forwarded from or into the tunnel.
    package static func services(interface: String, opened: Set<IPAddress.Family>) -> FirewallTable {
        let families = [IPAddress.Family.v4, .v6]
        var forward = [
            FirewallRule().from(interface).translated.synchronizing.clamped,
            FirewallRule().into(interface).translated.synchronizing.clamped,
        ]
        for family in families {
            forward += [
                FirewallRule().from(interface).of(family).of(.new).midway.isEnded(family).then(.reset),
                FirewallRule().from(interface).of(family).of(.new).isEnded(family).udp.then(.drop),
                FirewallRule().into(interface).translated.of(.original).of(family)
                    .isService(family, in: ServiceSet.inbound(family)).then(.accept),
                // Without the tunnel the target's address is routed like any other, possibly to an unrelated host.
                FirewallRule().translated.of(.original).of(family)
                    .isService(family, in: ServiceSet.inbound(family)).then(.drop),
                FirewallRule().translated.of(.reply).of(family)
                    .isService(family, in: ServiceSet.outbound(family)).then(.accept),
            ]
        }
        for family in families where opened.contains(family) {
            forward.append(FirewallRule().of(family).from(interface).counted("bondd: no way out").then(.drop))
            forward.append(FirewallRule().of(family).into(interface).counted("bondd: no way in").then(.drop))
        }
        // The priorities are nft's "dstnat", "srcnat" and "filter".
        return FirewallTable(
            name: servicesName(interface: interface), sets: families.flatMap(sets),
            chains: [
                FirewallChain(
                    name: "prerouting", kind: .nat, hook: .prerouting, priority: -100,
                    rules: families.flatMap { family in
                        let arriving = FirewallRule().of(family).toThisHost.globally(family)
                        return [
                            arriving.synchronizing.ledToTarget(family), arriving.udp.ledToTarget(family),
                        ]
                    }),
                FirewallChain(
                    name: "postrouting", kind: .nat, hook: .postrouting, priority: 100,
                    rules: families.map {
                        FirewallRule().from(interface).into(interface).of($0).translated.isToItself($0)
                            .masqueraded
                    }),
                FirewallChain(name: "forward", kind: .filter, hook: .forward, priority: 0, rules: forward),
            ])
    }

    private static func sets(_ family: IPAddress.Family) -> [FirewallSet] {
        let address = FirewallField.address(family)
        let connection = [FirewallField.transport, .port, address, .port]
        return [
            FirewallSet(
                name: ServiceSet.targets(family), key: [.transport, .port], data: [address, .port]),
            FirewallSet(name: ServiceSet.inbound(family), key: connection, counts: true),
            FirewallSet(name: ServiceSet.outbound(family), key: connection, counts: true),
            FirewallSet(name: ServiceSet.selves(family), key: [address, address]),
            FirewallSet(
                name: ServiceSet.ended(family), key: [.transport, address, .port, address, .port],
                timeout: endedTime),
        ]
    }

    /// The set elements for services.
    static func elements(of services: [KernelService]) -> FirewallElements {
        var elements: FirewallElements = [:]
        for service in services {
            let family = service.target.family
            for connection in service.connections {
                let key = connection.key
                elements[ServiceSet.inbound(family), default: [:]][key] = []
                elements[ServiceSet.outbound(family), default: [:]][key] = []
                guard service.accepts else { continue }
                var port: [UInt8] = []
                port.append(transport: connection.transport)
                port.append(port: connection.port)
                var target: [UInt8] = []
                target.append(connection.target)
                target.append(port: connection.targetPort)
                elements[ServiceSet.targets(family), default: [:]][port] = target
            }
            var both: [UInt8] = []
            both.append(service.target)
            both.append(service.target)
            elements[ServiceSet.selves(family), default: [:]][both] = []
        }
        return elements
    }
}

extension FirewallRule {
    private typealias ServiceSet = FirewallTable.ServiceSet

    /// Excludes packets to a link-local address, fe80::/10: the sender is on the link, and a reply from beyond
    /// would not match.
    fileprivate func globally(_ family: IPAddress.Family) -> FirewallRule {
        guard family == .v6 else { return self }
        let zeros = [UInt8](repeating: 0, count: 14)
        return with(
            .payload(NFT_PAYLOAD_NETWORK_HEADER, offset: 24, length: 16), .mask([0xFF, 0xC0] + zeros),
            .compare(NFT_CMP_NEQ, [0xFE, 0x80] + zeros))
    }

    /// Changes the destination of packets to a service's port to its target.
    fileprivate func ledToTarget(_ family: IPAddress.Family) -> FirewallRule {
        with(
            .meta(NFT_META_L4PROTO), .payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset: 2, length: 2, slot: 1),
            .lookup(ServiceSet.targets(family), isMap: true), .destinationNAT(family))
    }

    /// Matches packets that a service's target sends to itself.
    fileprivate func isToItself(_ family: IPAddress.Family) -> FirewallRule {
        let (offset, length) = family == .v4 ? (12, 4) : (8, 16)
        return with(
            .payload(NFT_PAYLOAD_NETWORK_HEADER, offset: offset, length: length),
            .payload(
                NFT_PAYLOAD_NETWORK_HEADER, offset: offset + length, length: length, slot: UInt32(length / 4)),
            .lookup(ServiceSet.selves(family)))
    }

    /// Matches packets of a service's connections, and ICMP errors about them.
    fileprivate func isService(_ family: IPAddress.Family, in set: String) -> FirewallRule {
        with(
            .connection(NFT_CT_PROTOCOL, of: .original),
            .connection(NFT_CT_PROTO_DST, of: .original, slot: 1),
            .connection(family == .v4 ? NFT_CT_SRC_IP : NFT_CT_SRC_IP6, of: .reply, slot: 2),
            .connection(NFT_CT_PROTO_SRC, of: .reply, slot: family == .v4 ? 3 : 6), .lookup(set))
    }

    /// Matches packets from the target on connections that were ended.
    fileprivate func isEnded(_ family: IPAddress.Family) -> FirewallRule {
        let (offset, length) = family == .v4 ? (12, 4) : (8, 16)
        let words = UInt32(length / 4)
        return with(
            .meta(NFT_META_L4PROTO),
            .payload(NFT_PAYLOAD_NETWORK_HEADER, offset: offset, length: length, slot: 1),
            .payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset: 0, length: 2, slot: 1 + words),
            .payload(NFT_PAYLOAD_NETWORK_HEADER, offset: offset + length, length: length, slot: 2 + words),
            .payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset: 2, length: 2, slot: 2 + words * 2),
            .lookup(ServiceSet.ended(family)))
    }

    /// Matches UDP datagrams.
    fileprivate var udp: FirewallRule { with(.meta(NFT_META_L4PROTO), .compare(NFT_CMP_EQ, [17])) }
}
