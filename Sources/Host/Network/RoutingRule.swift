import Packet
import Settings

/// A policy routing rule: which packets use which table, in order of priority.
public struct RoutingRule: Hashable, Sendable {
    /// The family of the packets.
    public var family: IPAddress.Family
    /// Rules are evaluated in ascending order.
    public var priority: UInt32
    /// The table to look up.
    public var table: UInt32
    /// The priority of the rule to jump to instead of a lookup; nil means look up the table.
    public var target: UInt32?
    /// Whether it applies to all packets except those described.
    public var isInverted = false
    /// The packets' mark; nil means any.
    public var mark: UInt32?
    /// The bits of the mark to compare.
    public var mask: UInt32 = .max
    /// The packets' source; nil means any.
    public var source: CIDR?
    /// The packets' destination; nil means any.
    public var destination: CIDR?
    /// The destination port; nil means any.
    public var destinationPort: UInt16?
    /// The input interface; nil means any.
    public var input: String?
    /// The interface the socket is bound to; nil means any or none.
    public var output: String?
    /// Routes with a prefix of at most this length are ignored; nil means none are.
    public var suppressedPrefix: UInt32?
    /// The program that created it (RTPROT_…).
    public var origin = NetworkRoute.ownOrigin

    /// A number without effect, stored as a mark with an empty mask. It distinguishes otherwise identical rules.
    public var label: UInt32? {
        get { mask == 0 ? mark : nil }
        set { (mark, mask) = (newValue, newValue == nil ? .max : 0) }
    }

    /// A rule for all packets of a family.
    public init(_ family: IPAddress.Family, priority: UInt32, table: UInt32) {
        (self.family, self.priority, self.table) = (family, priority, table)
    }
}
