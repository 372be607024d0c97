/// A base chain or a chain that others jump to, as the kernel lists it.
struct RulesetChain: Hashable, Sendable {
    /// NFPROTO_…: 1 inet, 2 ip, 10 ip6.
    let family: UInt16
    let table: String
    let name: String
    /// NF_INET_…; nil unless it is a base chain.
    let hook: UInt32?
    /// Whether a packet that no rule decides on is dropped.
    let drops: Bool
}
