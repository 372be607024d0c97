import CNetlink
import Packet
import Settings

/// A rule, built by what it says from left to right:
///
/// ```swift
/// FirewallRule().into("bond0").of(.established).counted("replies").then(.accept)
/// ```
struct FirewallRule: Hashable, Sendable {
    /// Its steps.
    private(set) var expressions: [FirewallExpression] = []
    /// What `nft list ruleset` shows beside it, and by which its counter is found again.
    private(set) var comment: String?

    /// States of a connection, the bits of the kernel's NF_CT_STATE_BIT.
    struct ConnectionStates: OptionSet, Sendable {
        let rawValue: UInt32
        static let new = ConnectionStates(rawValue: 8)
        static let established = ConnectionStates(rawValue: 2)
        static let related = ConnectionStates(rawValue: 4)
    }

    /// Packets that came in by the interface.
    func from(_ interface: String) -> FirewallRule {
        with(.meta(NFT_META_IIFNAME), .compare(NFT_CMP_EQ, Self.name(interface)))
    }

    /// Packets that leave by the interface.
    func into(_ interface: String) -> FirewallRule {
        with(.meta(NFT_META_OIFNAME), .compare(NFT_CMP_EQ, Self.name(interface)))
    }

    /// Packets of an IP version: NFPROTO_IPV4 2, NFPROTO_IPV6 10.
    func of(_ family: IPAddress.Family) -> FirewallRule {
        with(.meta(NFT_META_NFPROTO), .compare(NFT_CMP_EQ, [family == .v4 ? 2 : 10]))
    }

    /// Packets from addresses of a network.
    func source(_ network: CIDR) -> FirewallRule {
        address(network, offset: network.address.family == .v4 ? 12 : 8)
    }

    /// Packets to addresses of a network.
    func destination(_ network: CIDR) -> FirewallRule {
        address(network, offset: network.address.family == .v4 ? 16 : 24)
    }

    /// Packets of a network's IP version to addresses outside it.
    func destination(not network: CIDR) -> FirewallRule {
        address(network, offset: network.address.family == .v4 ? 16 : 24, NFT_CMP_NEQ)
    }

    /// Packets of connections in one of the states.
    func of(_ states: ConnectionStates) -> FirewallRule {
        with(
            .connection(NFT_CT_STATE), .mask(Self.host(states.rawValue)),
            .compare(NFT_CMP_NEQ, Self.host(0)))
    }

    /// Packets whose destination somebody translated: IPS_DST_NAT.
    var translated: FirewallRule {
        with(.connection(NFT_CT_STATUS), .mask(Self.host(1 << 5)), .compare(NFT_CMP_NEQ, Self.host(0)))
    }

    /// Packets of connections in this direction.
    func of(_ direction: ConnectionDirection) -> FirewallRule {
        with(.connection(NFT_CT_DIRECTION), .compare(NFT_CMP_EQ, [direction.rawValue]))
    }

    /// Packets to an address of this host: RTN_LOCAL.
    var toThisHost: FirewallRule { with(.destinationType, .compare(NFT_CMP_EQ, Self.host(2))) }

    /// Packets of connections whose mark has this value where the mask has bits.
    func connectionMarked(_ mark: UInt32, mask: UInt32) -> FirewallRule {
        with(.connection(NFT_CT_MARK), .mask(Self.host(mask)), .compare(NFT_CMP_EQ, Self.host(mark)))
    }

    /// Sets the bits of the mask in the connection's mark.
    func markingConnection(_ mark: UInt32, mask: UInt32) -> FirewallRule {
        with(
            .connection(NFT_CT_MARK), .mask(Self.host(~mask), setting: Self.host(mark)), .setConnectionMark)
    }

    /// Sets the bits of the mask in the packet's mark.
    func marking(_ mark: UInt32, mask: UInt32) -> FirewallRule {
        with(.meta(NFT_META_MARK), .mask(Self.host(~mask), setting: Self.host(mark)), .setMark)
    }

    /// Packets whose firewall mark has this value where the mask has bits; as it comes, where `TunnelMark` has.
    func marked(_ mark: UInt32, mask: UInt32 = TunnelMark.mask) -> FirewallRule {
        with(.meta(NFT_META_MARK), .mask(Self.host(mask)), .compare(NFT_CMP_EQ, Self.host(mark)))
    }

    /// Packets with a nonzero firewall mark.
    var marked: FirewallRule { with(.meta(NFT_META_MARK), .compare(NFT_CMP_NEQ, Self.host(0))) }

    /// UDP datagrams; `source` nil: from any port.
    func udp(source: UInt16? = nil, destination: UInt16) -> FirewallRule {
        var rule = transport(17)
        if let source { rule = rule.port(source, offset: 0) }
        return rule.port(destination, offset: 2)
    }

    /// TCP segments to a port.
    func tcp(destination: UInt16) -> FirewallRule { transport(6).port(destination, offset: 2) }

    /// TCP segments.
    var tcp: FirewallRule { transport(6) }

    /// TCP segments but those that open a connection.
    var midway: FirewallRule {
        transport(6).with(
            .payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset: 13, length: 1), .mask([0x02]),
            .compare(NFT_CMP_EQ, [0]))
    }

    /// ICMPv6 messages of these types.
    func icmp6(types: ClosedRange<UInt8>) -> FirewallRule {
        let rule = of(.v6).transport(58).with(
            .payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset: 0, length: 1))
        if types.count == 1 { return rule.with(.compare(NFT_CMP_EQ, [types.lowerBound])) }
        return rule.with(
            .compare(NFT_CMP_GTE, [types.lowerBound]), .compare(NFT_CMP_LTE, [types.upperBound]))
    }

    /// Echo requests of ICMP (type 8) or ICMPv6 (type 128).
    func echoRequest(_ family: IPAddress.Family) -> FirewallRule {
        if family == .v6 { return icmp6(types: 128...128) }
        return of(.v4).transport(1).with(
            .payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset: 0, length: 1), .compare(NFT_CMP_EQ, [8]))
    }

    /// TCP segments with SYN and without RST.
    var synchronizing: FirewallRule {
        transport(6).with(
            .payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset: 13, length: 1), .mask([0x06]),
            .compare(NFT_CMP_EQ, [0x02]))
    }

    /// Lowers the segment size that a SYN announces to what the routes both ways have room for.
    var clamped: FirewallRule { with(.routeSegmentSize, .networkOrder, .lowerSegmentSize) }

    /// Counts, under a name that several rules may share.
    func counted(_ name: String) -> FirewallRule {
        var rule = with(.counter)
        rule.comment = name
        return rule
    }

    /// Adds a comment, which `nft list ruleset` shows.
    func commented(_ text: String) -> FirewallRule {
        var rule = self
        rule.comment = text
        return rule
    }

    /// Gives the packet the sender's address of the interface that it leaves by.
    var masqueraded: FirewallRule { with(.masquerade) }

    /// What becomes of the packet.
    func then(_ verdict: FirewallVerdict) -> FirewallRule { with(.verdict(verdict)) }

    private func transport(_ number: UInt8) -> FirewallRule {
        with(.meta(NFT_META_L4PROTO), .compare(NFT_CMP_EQ, [number]))
    }

    private func port(_ port: UInt16, offset: Int) -> FirewallRule {
        with(
            .payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset: offset, length: 2),
            .compare(NFT_CMP_EQ, [UInt8(port >> 8), UInt8(port & 0xFF)]))
    }

    private func address(
        _ network: CIDR, offset: Int, _ operation: nft_cmp_ops = NFT_CMP_EQ
    ) -> FirewallRule {
        let count = network.address.byteCount
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { network.network.address.write(to: $0) }
        let rule = of(network.address.family).with(
            .payload(NFT_PAYLOAD_NETWORK_HEADER, offset: offset, length: count))
        if network.length == count * 8 { return rule.with(.compare(operation, bytes)) }
        let mask = (0..<count).map { index in
            UInt8(truncatingIfNeeded: 0xFF00 >> min(8, max(0, network.length - index * 8)))
        }
        return rule.with(.mask(mask), .compare(operation, bytes))
    }

    func with(_ more: FirewallExpression...) -> FirewallRule {
        var rule = self
        rule.expressions += more
        return rule
    }

    /// An interface's name as the kernel compares it: 16 bytes, filled up with zeros.
    private static func name(_ interface: String) -> [UInt8] {
        let bytes = Array(interface.utf8.prefix(15))
        return bytes + [UInt8](repeating: 0, count: 16 - bytes.count)
    }

    private static func host(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
}
