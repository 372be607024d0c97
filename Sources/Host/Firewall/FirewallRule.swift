import CNetlink
import Packet
import Settings

/// A rule, built from left to right as it reads:
///
/// ```swift
/// FirewallRule().into("bond0").of(.established).counted("replies").then(.accept)
/// ```
struct FirewallRule: Hashable, Sendable {
    /// Its steps.
    private(set) var expressions: [FirewallExpression] = []
    /// The comment shown by `nft list ruleset`, which also identifies the rule's counter.
    private(set) var comment: String?

    /// Connection states, the bits of the kernel's NF_CT_STATE_BIT.
    struct ConnectionStates: OptionSet, Sendable {
        let rawValue: UInt32
        static let new = ConnectionStates(rawValue: 8)
        static let established = ConnectionStates(rawValue: 2)
        static let related = ConnectionStates(rawValue: 4)
    }

    /// Matches packets that arrived on the interface.
    func from(_ interface: String) -> FirewallRule {
        with(.meta(NFT_META_IIFNAME), .compare(NFT_CMP_EQ, Self.name(interface)))
    }

    /// Matches packets that leave through the interface.
    func into(_ interface: String) -> FirewallRule {
        with(.meta(NFT_META_OIFNAME), .compare(NFT_CMP_EQ, Self.name(interface)))
    }

    /// Matches packets of an IP version: NFPROTO_IPV4 2, NFPROTO_IPV6 10.
    func of(_ family: IPAddress.Family) -> FirewallRule {
        with(.meta(NFT_META_NFPROTO), .compare(NFT_CMP_EQ, [family == .v4 ? 2 : 10]))
    }

    /// Matches packets from addresses in a network.
    func source(_ network: CIDR) -> FirewallRule {
        address(network, offset: network.address.family == .v4 ? 12 : 8)
    }

    /// Matches packets to addresses in a network.
    func destination(_ network: CIDR) -> FirewallRule {
        address(network, offset: network.address.family == .v4 ? 16 : 24)
    }

    /// Matches packets of the network's IP version to addresses outside it.
    func destination(not network: CIDR) -> FirewallRule {
        address(network, offset: network.address.family == .v4 ? 16 : 24, NFT_CMP_NEQ)
    }

    /// Matches packets of connections in one of the states.
    func of(_ states: ConnectionStates) -> FirewallRule {
        with(
            .connection(NFT_CT_STATE), .mask(Self.host(states.rawValue)),
            .compare(NFT_CMP_NEQ, Self.host(0)))
    }

    /// Matches packets whose destination has been translated: IPS_DST_NAT.
    var translated: FirewallRule {
        with(.connection(NFT_CT_STATUS), .mask(Self.host(1 << 5)), .compare(NFT_CMP_NEQ, Self.host(0)))
    }

    /// Matches packets in this direction of their connection.
    func of(_ direction: ConnectionDirection) -> FirewallRule {
        with(.connection(NFT_CT_DIRECTION), .compare(NFT_CMP_EQ, [direction.rawValue]))
    }

    /// Matches packets to an address of this host: RTN_LOCAL.
    var toThisHost: FirewallRule { with(.destinationType, .compare(NFT_CMP_EQ, Self.host(2))) }

    /// Matches packets of connections whose mark equals this value within the mask.
    func connectionMarked(_ mark: UInt32, mask: UInt32) -> FirewallRule {
        with(.connection(NFT_CT_MARK), .mask(Self.host(mask)), .compare(NFT_CMP_EQ, Self.host(mark)))
    }

    /// Sets the mask's bits in the connection's mark.
    func markingConnection(_ mark: UInt32, mask: UInt32) -> FirewallRule {
        with(
            .connection(NFT_CT_MARK), .mask(Self.host(~mask), setting: Self.host(mark)), .setConnectionMark)
    }

    /// Sets the mask's bits in the packet's mark.
    func marking(_ mark: UInt32, mask: UInt32) -> FirewallRule {
        with(.meta(NFT_META_MARK), .mask(Self.host(~mask), setting: Self.host(mark)), .setMark)
    }

    /// Matches packets whose mark equals this value within the mask; the default mask is that of `TunnelMark`.
    func marked(_ mark: UInt32, mask: UInt32 = TunnelMark.mask) -> FirewallRule {
        with(.meta(NFT_META_MARK), .mask(Self.host(mask)), .compare(NFT_CMP_EQ, Self.host(mark)))
    }

    /// Matches packets with a nonzero mark.
    var marked: FirewallRule { with(.meta(NFT_META_MARK), .compare(NFT_CMP_NEQ, Self.host(0))) }

    /// Matches UDP datagrams; `source` nil means from any port.
    func udp(source: UInt16? = nil, destination: UInt16) -> FirewallRule {
        var rule = transport(17)
        if let source { rule = rule.port(source, offset: 0) }
        return rule.port(destination, offset: 2)
    }

    /// Matches TCP segments to a port.
    func tcp(destination: UInt16) -> FirewallRule { transport(6).port(destination, offset: 2) }

    /// Matches TCP segments.
    var tcp: FirewallRule { transport(6) }

    /// Matches TCP segments except those that open a connection.
    var midway: FirewallRule {
        transport(6).with(
            .payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset: 13, length: 1), .mask([0x02]),
            .compare(NFT_CMP_EQ, [0]))
    }

    /// Matches ICMPv6 messages of these types.
    func icmp6(types: ClosedRange<UInt8>) -> FirewallRule {
        let rule = of(.v6).transport(58).with(
            .payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset: 0, length: 1))
        if types.count == 1 { return rule.with(.compare(NFT_CMP_EQ, [types.lowerBound])) }
        return rule.with(
            .compare(NFT_CMP_GTE, [types.lowerBound]), .compare(NFT_CMP_LTE, [types.upperBound]))
    }

    /// Matches echo requests of ICMP (type 8) or ICMPv6 (type 128).
    func echoRequest(_ family: IPAddress.Family) -> FirewallRule {
        if family == .v6 { return icmp6(types: 128...128) }
        return of(.v4).transport(1).with(
            .payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset: 0, length: 1), .compare(NFT_CMP_EQ, [8]))
    }

    /// Matches TCP segments with SYN and without RST.
    var synchronizing: FirewallRule {
        transport(6).with(
            .payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset: 13, length: 1), .mask([0x06]),
            .compare(NFT_CMP_EQ, [0x02]))
    }

    /// Lowers the segment size that a SYN announces to the one the routes of both directions allow.
    var clamped: FirewallRule { with(.routeSegmentSize, .networkOrder, .lowerSegmentSize) }

    /// Counts packets under a name that several rules may share.
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

    /// Replaces the source address by that of the output interface.
    var masqueraded: FirewallRule { with(.masquerade) }

    /// Matches packets of programs in the control group with that number, at that level of the hierarchy, or
    /// below it.
    func sentBy(controlGroup number: UInt64, level: UInt32) -> FirewallRule {
        with(
            .controlGroup(level: level),
            .compare(NFT_CMP_EQ, withUnsafeBytes(of: number) { Array($0) }))
    }

    /// Sets the DSCP of packets of that IP version.
    func settingCodepoint(_ codepoint: UInt8, _ family: IPAddress.Family) -> FirewallRule {
        let load = FirewallExpression.payload(NFT_PAYLOAD_NETWORK_HEADER, offset: 0, length: 2)
        return switch family {
        case .v4:
            of(.v4).with(
                load, .mask([0xFF, 0x03], setting: [0, codepoint << 2]),
                .writeHeader(offset: 0, length: 2, checksum: 10))
        case .v6:
            of(.v6).with(
                load, .mask([0xF0, 0x3F], setting: [codepoint >> 2, codepoint << 6]),
                .writeHeader(offset: 0, length: 2))
        }
    }

    /// Ends the rule with a verdict.
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

    /// An interface name as the kernel compares it: 16 bytes, padded with zeros.
    private static func name(_ interface: String) -> [UInt8] {
        let bytes = Array(interface.utf8.prefix(15))
        return bytes + [UInt8](repeating: 0, count: 16 - bytes.count)
    }

    private static func host(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
}
