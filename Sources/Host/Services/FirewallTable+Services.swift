import CNetlink
import Packet
import Settings

extension FirewallTable {
    /// The table of the services that the kernel carries.
    public static func servicesName(interface: String) -> String {
        name("bondd_services", interface: interface)
    }

    /// The names of the sets of a family.
    enum ServiceSet {
        /// Leads a port to its target.
        static func targets(_ family: IPAddress.Family) -> String { name("to", family) }
        /// Counts what users send.
        static func inbound(_ family: IPAddress.Family) -> String { name("in", family) }
        /// Counts what comes back.
        static func outbound(_ family: IPAddress.Family) -> String { name("out", family) }
        /// Targets that may use their own services: their address twice.
        static func selves(_ family: IPAddress.Family) -> String { name("self", family) }
        /// What was cut off.
        static func ended(_ family: IPAddress.Family) -> String { name("ended", family) }

        private static func name(_ base: String, _ family: IPAddress.Family) -> String {
            base + (family == .v4 ? "4" : "6")
        }
    }

    /// How long a connection that was ended is kept from coming back, in ms. A TCP that has nothing to say asks after two
    /// hours whether the other end is still there (tcp_keepalive_time), and is told then.
    public static let endedTime: UInt64 = 3 * 3600 * 1000

    /// What the kernel does for services; which there are, its sets say.
    ///
    /// - prerouting: what comes to a port of this host gets another destination. Of TCP only what opens a connection: where
    ///   conntrack begins with this table, it takes the next segment of one that this host has itself for a new one.
    /// - postrouting: a host in the tunnel that uses its own service is told that this host does; it would not take packets
    ///   from itself.
    /// - forward: counts both ways of what is established, and lets nothing through that was ended. Conntrack would take a
    ///   packet that a target still sends for the beginning of something new, and NAT would even give it the old addresses.
    ///
    /// - Parameter opened: families that were not forwarded before bondd came, and are for services alone: nothing else is
    ///   forwarded from and into the tunnel.
    public static func services(interface: String, opened: Set<IPAddress.Family>) -> FirewallTable {
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
                // Without the tunnel the target's address is routed as any other, maybe to somebody else's host.
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

    /// What the sets have of services.
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

    /// Not to a link-local address, fe80::/10: who uses one is on the link, and is not answered from beyond.
    fileprivate func globally(_ family: IPAddress.Family) -> FirewallRule {
        guard family == .v6 else { return self }
        let zeros = [UInt8](repeating: 0, count: 14)
        return with(
            .payload(NFT_PAYLOAD_NETWORK_HEADER, offset: 24, length: 16), .mask([0xFF, 0xC0] + zeros),
            .compare(NFT_CMP_NEQ, [0xFE, 0x80] + zeros))
    }

    /// Gives what comes to a service's port its target as destination.
    fileprivate func ledToTarget(_ family: IPAddress.Family) -> FirewallRule {
        with(
            .meta(NFT_META_L4PROTO), .payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset: 2, length: 2, slot: 1),
            .lookup(ServiceSet.targets(family), isMap: true), .destinationNAT(family))
    }

    /// Packets that a service's target sends to itself.
    fileprivate func isToItself(_ family: IPAddress.Family) -> FirewallRule {
        let (offset, length) = family == .v4 ? (12, 4) : (8, 16)
        return with(
            .payload(NFT_PAYLOAD_NETWORK_HEADER, offset: offset, length: length),
            .payload(
                NFT_PAYLOAD_NETWORK_HEADER, offset: offset + length, length: length, slot: UInt32(length / 4)),
            .lookup(ServiceSet.selves(family)))
    }

    /// Packets of a service's connections, and ICMP errors about them.
    fileprivate func isService(_ family: IPAddress.Family, in set: String) -> FirewallRule {
        with(
            .connection(NFT_CT_PROTOCOL, of: .original),
            .connection(NFT_CT_PROTO_DST, of: .original, slot: 1),
            .connection(family == .v4 ? NFT_CT_SRC_IP : NFT_CT_SRC_IP6, of: .reply, slot: 2),
            .connection(NFT_CT_PROTO_SRC, of: .reply, slot: family == .v4 ? 3 : 6), .lookup(set))
    }

    /// Packets of connections that were ended, from the target.
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

    /// UDP datagrams.
    fileprivate var udp: FirewallRule { with(.meta(NFT_META_L4PROTO), .compare(NFT_CMP_EQ, [17])) }
}
