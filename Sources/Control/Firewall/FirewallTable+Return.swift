import Packet

extension FirewallTable {
    /// The table of a client that marks what answers connections which came in through the tunnel.
    public static func returnName(interface: String) -> String { name("bondd_return", interface: interface) }

    /// Answers leave as the connection comes in: it is marked in conntrack, and answers get the mark, which `RoutingPlan` leads
    /// back. Those of this host find their way anew by it; those of hosts behind this one, such as
    /// containers, have it before they look.
    public static func returning(interface: String, mark: UInt32) -> FirewallTable {
        let mask = ReturnMark.mask
        let answers = FirewallRule().of(.reply).connectionMarked(mark, mask: mask).marking(mark, mask: mask)
        // The priority is nft's "mangle": behind conntrack, before destinations are translated.
        return FirewallTable(
            name: returnName(interface: interface),
            chains: [
                FirewallChain(
                    name: "prerouting", kind: .filter, hook: .prerouting, priority: -150,
                    rules: [
                        FirewallRule().from(interface).of(.original).markingConnection(mark, mask: mask),
                        answers,
                    ]),
                FirewallChain(
                    name: "output", kind: .route, hook: .output, priority: -150, rules: [answers]),
            ])
    }
}
