import CNetlink
import Packet
import Settings

/// An uplink, as seen by a client's return path.
package struct ReturnUplink: Hashable, Sendable {
    /// The interface's name.
    package let name: String
    /// The uplink's number, see `ReturnMark.numbers`.
    package let number: UInt32
    /// The interface's addresses.
    package let addresses: [IPAddress]

    /// An uplink and the addresses of its interface.
    package init(name: String, number: UInt32, addresses: [IPAddress]) {
        (self.name, self.number, self.addresses) = (name, number, addresses)
    }
}

extension FirewallTable {
    /// The table of a client that marks replies to connections from outside.
    package static func returnName(interface: String) -> String { name("bondd_return", interface: interface) }

    /// Replies leave the way the connection came in: the connection is marked in conntrack, and replies get the
    /// mark, by which `RoutingPlan` routes them back. Replies of this host are rerouted by it; those of hosts
    /// behind this one, such as containers, carry it before routing.
    /// - Parameters:
    ///   - mark: the tunnel's mark, see `ReturnMark.value`.
    ///   - uplinks: the uplinks whose inbound connections are answered through them.
    ///   - earlier: connections from before the tunnel, which conntrack may not know, or may have in the wrong
    ///     direction.
    package static func returning(
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
                // Marks all arriving packets, as programs may be bound to an uplink and query its name servers.
                FirewallRule().from(uplink.name).of(.v4)
                    .marking(ReturnMark.arrival(uplink.number), mask: mask),
            ]
            // For connections on which this host sends first.
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
            // In both directions, as conntrack takes this host for the initiator of an earlier connection.
            output.append(rule.besidesTunnel.marking(mark, mask: mask))
        }
        // The priority is nft's "mangle": after conntrack, before destination NAT.
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
    /// Leaves out packets that carry the tunnel: they have their own routes and mark.
    fileprivate var besidesTunnel: FirewallRule {
        with(
            .meta(NFT_META_MARK), .mask(Self.bytes(0xFFFF)),
            .compare(NFT_CMP_NEQ, Self.bytes(TunnelMark.value & 0xFFFF)))
    }

    /// Matches TCP segments that this host sends on a connection.
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
