/// A base chain, which sees packets at one hook of the kernel.
struct FirewallChain: Hashable, Sendable {
    /// The hook: NF_INET_… of linux/netfilter.h.
    enum Hook: UInt32, Sendable {
        case prerouting = 0
        case forward = 2
        case output = 3
        case postrouting = 4
    }

    /// The type of chain. The raw value is the kernel's word.
    enum Kind: String, Sendable {
        case filter
        case nat
        /// Locally generated packets are routed again if a rule changed their mark.
        case route
    }

    let name: String
    let kind: Kind
    let hook: Hook
    /// Chains of one hook run in ascending order of priority.
    let priority: Int32
    let rules: [FirewallRule]
}
