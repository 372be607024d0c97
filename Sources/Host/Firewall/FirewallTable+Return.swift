import CNetlink
import Packet
import Settings

/// An uplink, as a client's return path sees it.
public struct ReturnUplink: Hashable, Sendable {
    /// Its interface's name.
    public let name: String
    /// Its number, see `ReturnMark.numbers`.
    public let number: UInt32
    /// Its interface's addresses.
    public let addresses: [IPAddress]

    /// An uplink.
    public init(name: String, number: UInt32, addresses: [IPAddress]) {
        (self.name, self.number, self.addresses) = (name, number, addresses)
    }
}

extension FirewallTable {
    /// The table of a client that marks what answers connections which came in from elsewhere.
    public static func returnName(interface: String) -> String { name("bondd_return", interface: interface) }

    /// Answers leave as the connection comes in: it is marked in conntrack, and answers get the mark, which `RoutingPlan` leads
    /// back. Those of this host find their way anew by it; those of hosts behind this one, such as
    /// containers, have it before they look.
    /// - Parameters:
    ///   - mark: the tunnel's, see `ReturnMark.value`.
    ///   - uplinks: those whose connections are answered by them.
    ///   - earlier: connections from before the tunnel, which conntrack may not know, or not the right way round.
    public static func returning(
        interface: String, mark: UInt32, uplinks: [ReturnUplink] = [], earlier: [EarlierConnection] = []
    ) -> FirewallTable {
        let mask = ReturnMark.mask
        let answers = FirewallRule().of(.reply).connectionMarked(mark, mask: mask).marking(mark, mask: mask)
        var (prerouting, output): ([FirewallRule], [FirewallRule]) = ([], [])
        prerouting.append(FirewallRule().from(interface).of(.original).markingConnection(mark, mask: mask))
        for uplink in uplinks {
            let mark = ReturnMark.uplink(uplink.number)
            prerouting += [
                FirewallRule().from(uplink.name).of(.original).markingConnection(mark, mask: mask),
                // Of all that comes in, as programs may be bound to an uplink, and ask its name servers.
                FirewallRule().from(uplink.name).of(.v4)
                    .marking(ReturnMark.arrival(uplink.number), mask: mask),
            ]
            // Where this host says something first.
            output += earlier.filter { uplink.addresses.contains($0.local) }.map { connection in
                FirewallRule().connectionMarked(0, mask: mask).of(connection)
                    .markingConnection(mark, mask: mask)
            }
        }
        prerouting.append(answers)
        output.append(answers)
        for mark in uplinks.map({ ReturnMark.uplink($0.number) }) {
            let rule = FirewallRule().connectionMarked(mark, mask: mask)
            prerouting.append(
                FirewallRule().of(.reply).connectionMarked(mark, mask: mask).marking(mark, mask: mask))
            // In both directions, as conntrack takes this host for the one that began an earlier connection.
            output.append(rule.besidesTunnel.marking(mark, mask: mask))
        }
        // The priority is nft's "mangle": behind conntrack, before destinations are translated.
        return FirewallTable(
            name: returnName(interface: interface),
            chains: [
                FirewallChain(
                    name: "prerouting", kind: .filter, hook: .prerouting, priority: -150, rules: prerouting),
                FirewallChain(
                    name: "output", kind: .route, hook: .output, priority: -150, rules: output),
            ])
    }
}

extension FirewallRule {
    /// Packets that don't carry the tunnel: they have their way, and their mark.
    fileprivate var besidesTunnel: FirewallRule {
        with(
            .meta(NFT_META_MARK), .mask(Self.bytes(0xFFFF)),
            .compare(NFT_CMP_NEQ, Self.bytes(TunnelMark.value & 0xFFFF)))
    }

    /// TCP segments of this host in a connection.
    fileprivate func of(_ connection: EarlierConnection) -> FirewallRule {
        guard let source = CIDR(connection.local, length: connection.local.byteCount * 8),
            let destination = CIDR(connection.remote, length: connection.remote.byteCount * 8)
        else { return self }
        return self.source(source).destination(destination).tcp.with(
            .payload(NFT_PAYLOAD_TRANSPORT_HEADER, offset: 0, length: 2),
            .compare(NFT_CMP_EQ, [UInt8(connection.port >> 8), UInt8(connection.port & 0xFF)]))
    }

    private static func bytes(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
}
