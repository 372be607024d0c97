import CNetlink
import Glibc
import Packet

/// A connection in conntrack whose destination has been translated.
struct TrackedConnection: Hashable, Sendable {
    /// The IP protocol number.
    let transport: UInt8
    /// The address of the initiator.
    let user: IPAddress
    let userPort: UInt16
    /// The destination as seen by the user.
    let destination: IPAddress
    let port: UInt16
    /// The translated destination.
    let target: IPAddress
    let targetPort: UInt16
    /// The source as seen by the target: the user, unless the source has been translated as well.
    let source: IPAddress
    let sourcePort: UInt16
    /// Whether it is closed, and only kept for a while.
    let isOver: Bool

    /// The service it would belong to.
    var service: ServiceConnection {
        ServiceConnection(transport: transport, port: port, target: target, targetPort: targetPort)
    }

    /// The key in the set of ended connections: that of the target's packets.
    var endedKey: [UInt8] {
        var key: [UInt8] = []
        key.append(transport: transport)
        key.append(target)
        key.append(port: targetPort)
        key.append(source)
        key.append(port: sourcePort)
        return key
    }
}

extension TrackedConnection {
    /// TCP states of a connection that is opening, established, or not yet closed by both ends
    /// (TCP_CONNTRACK_SYN_SENT to TCP_CONNTRACK_CLOSE_WAIT).
    private static let openStates: ClosedRange<UInt8> = 1...5

    /// Reads a `nf_conntrack`; nil if it is neither IPv4 nor IPv6, or has no ports.
    init?(_ entry: OpaquePointer) {
        let isIPv4 = nfct_get_attr_u8(entry, ATTR_L3PROTO) == UInt8(AF_INET)
        func address(_ ipv4: nf_conntrack_attr, _ ipv6: nf_conntrack_attr) -> IPAddress? {
            guard let bytes = nfct_get_attr(entry, isIPv4 ? ipv4 : ipv6) else { return nil }
            return IPAddress(
                isIPv4 ? .v4 : .v6, bytes: UnsafeRawBufferPointer(start: bytes, count: isIPv4 ? 4 : 16))
        }
        guard let user = address(ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC),
            let destination = address(ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_DST),
            let target = address(ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV6_SRC),
            let source = address(ATTR_REPL_IPV4_DST, ATTR_REPL_IPV6_DST),
            let userPort = Self.port(entry, ATTR_ORIG_PORT_SRC),
            let port = Self.port(entry, ATTR_ORIG_PORT_DST),
            let targetPort = Self.port(entry, ATTR_REPL_PORT_SRC),
            let sourcePort = Self.port(entry, ATTR_REPL_PORT_DST)
        else { return nil }
        transport = nfct_get_attr_u8(entry, ATTR_L4PROTO)
        (self.user, self.userPort, self.destination, self.port) = (user, userPort, destination, port)
        (self.target, self.targetPort) = (target, targetPort)
        (self.source, self.sourcePort) = (source, sourcePort)
        isOver =
            transport == 6 && !Self.openStates.contains(nfct_get_attr_u8(entry, ATTR_TCP_STATE))
    }

    private static func port(_ entry: OpaquePointer, _ attribute: nf_conntrack_attr) -> UInt16? {
        nfct_attr_is_set(entry, attribute) > 0
            ? UInt16(bigEndian: nfct_get_attr_u16(entry, attribute)) : nil
    }

    /// Writes its original tuple, which identifies it, into a `nf_conntrack`.
    func write(to entry: OpaquePointer) {
        let isIPv4 = user.family == .v4
        nfct_set_attr_u8(entry, ATTR_L3PROTO, UInt8(isIPv4 ? AF_INET : AF_INET6))
        nfct_set_attr_u8(entry, ATTR_L4PROTO, transport)
        for (attribute, address) in [
            (isIPv4 ? ATTR_ORIG_IPV4_SRC : ATTR_ORIG_IPV6_SRC, user),
            (isIPv4 ? ATTR_ORIG_IPV4_DST : ATTR_ORIG_IPV6_DST, destination),
        ] {
            var bytes: [UInt8] = []
            bytes.append(address)
            nfct_set_attr(entry, attribute, bytes)
        }
        nfct_set_attr_u16(entry, ATTR_ORIG_PORT_SRC, userPort.bigEndian)
        nfct_set_attr_u16(entry, ATTR_ORIG_PORT_DST, port.bigEndian)
    }
}
