/// A chain that sees packets at a point of their way through the kernel.
struct FirewallChain: Hashable, Sendable {
    /// Where packets are seen: NF_INET_… of linux/netfilter.h.
    enum Hook: UInt32, Sendable {
        case prerouting = 0
        case forward = 2
        case output = 3
        case postrouting = 4
    }

    /// What a chain is for. The raw value is the kernel's word.
    enum Kind: String, Sendable {
        case filter
        case nat
        /// Packets of this host find their way anew when a rule changed their mark.
        case route
    }

    let name: String
    let kind: Kind
    let hook: Hook
    /// Chains of one hook are asked in this order.
    let priority: Int32
    let rules: [FirewallRule]
}
