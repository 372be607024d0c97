import Packet
import Settings

extension FirewallTable {
    /// The name under which packets from clients are counted.
    package static let outbound = "bondd: clients to outside"
    /// The name under which replies to clients are counted.
    package static let inbound = "bondd: answers to clients"

    private static let noWayIn = "bondd: no way in"

    /// The table of a server's `[nat]`.
    package static func natName(interface: String) -> String { name("bondd", interface: interface) }

    /// NAT for clients: their packets leave by `egress` with the server's address, and replies come back.
    /// Nothing else may enter the tunnel by `egress`, unless `allowsInbound`, except connections that the
    /// operator has translated to a client: a host that forwards would otherwise let its neighbors reach the
    /// tunnel's network. Other packets are unaffected, except those of `opened`: families that were not
    /// forwarded before bondd started are forwarded for clients only, where the tunnel is involved.
    ///
    /// Packets from networks behind clients leave like the clients' own. One rule for each IP version suffices
    /// for any number of networks, because bondd itself accepts from a client only packets from that client's
    /// networks.
    package static func nat(
        interface: String, networks: [CIDR], behindClients: [CIDR] = [], egress: [String],
        opened: Set<IPAddress.Family>, allowsInbound: Bool = false
    ) -> FirewallTable {
        let networks = networks.map(\.network)
        let families = [IPAddress.Family.v4, .v6].filter { family in
            behindClients.contains { $0.address.family == family }
        }
        var postrouting: [FirewallRule] = []
        var forward = [
            FirewallRule().from(interface).synchronizing.clamped,
            FirewallRule().into(interface).synchronizing.clamped,
        ]
        for exit in egress {
            postrouting += networks.map { FirewallRule().source($0).into(exit).masqueraded }
            forward += networks.map {
                FirewallRule().source($0).from(interface).into(exit).counted(outbound).then(.accept)
            }
            for family in families {
                let behind = FirewallRule().of(family).from(interface).into(exit)
                postrouting.append(behind.masqueraded)
                forward.append(behind.counted(outbound).then(.accept))
            }
            forward.append(
                FirewallRule().from(exit).into(interface).of([.established, .related]).counted(inbound)
                    .then(.accept))
        }
        forward.append(FirewallRule().into(interface).translated.then(.accept))
        forward += egress.map {
            let inward = FirewallRule().from($0).into(interface)
            return allowsInbound ? inward.then(.accept) : inward.counted(noWayIn).then(.drop)
        }
        if !opened.isEmpty {
            forward.append(FirewallRule().from(interface).into(interface).then(.accept))
            forward.append(FirewallRule().from(interface).of([.established, .related]).then(.accept))
        }
        for family in [IPAddress.Family.v4, .v6] where opened.contains(family) {
            forward.append(FirewallRule().of(family).from(interface).counted("bondd: no way out").then(.drop))
            forward.append(FirewallRule().of(family).into(interface).counted(noWayIn).then(.drop))
        }
        // The priorities are nft's "srcnat" and "filter".
        return FirewallTable(
            name: natName(interface: interface),
            chains: [
                FirewallChain(
                    name: "postrouting", kind: .nat, hook: .postrouting, priority: 100, rules: postrouting),
                FirewallChain(name: "forward", kind: .filter, hook: .forward, priority: 0, rules: forward),
            ])
    }
}
