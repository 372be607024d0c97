import Packet
import Settings

/// A policy routing rule: which packets use which table, in order of priority.
package struct RoutingRule: Hashable, Sendable {
    /// The family of the packets.
    package var family: IPAddress.Family
    /// Rules are evaluated in ascending order.
    package var priority: UInt32
    /// The table to look up.
    package var table: UInt32
    /// The priority of the rule to jump to instead of a lookup; nil means look up the table.
    package var target: UInt32?
    /// Whether it applies to all packets except those described.
    package var isInverted = false
    /// The packets' mark; nil means any.
    package var mark: UInt32?
    /// The bits of the mark to compare.
    package var mask: UInt32 = .max
    /// The packets' source; nil means any.
    package var source: CIDR?
    /// The packets' destination; nil means any.
    package var destination: CIDR?
    /// The destination port; nil means any.
    package var destinationPort: UInt16?
    /// The input interface; nil means any.
    package var input: String?
    /// The interface the socket is bound to; nil means any or none.
    package var output: String?
    /// Routes with a prefix of at most this length are ignored; nil means none are.
    package var suppressedPrefix: UInt32?
    /// The program that created it (RTPROT_…).
    package var origin = NetworkRoute.ownOrigin

    /// A number without effect, stored as a mark with an empty mask. It distinguishes otherwise identical rules.
    package var label: UInt32? {
        get { mask == 0 ? mark : nil }
        set { (mark, mask) = (newValue, newValue == nil ? .max : 0) }
    }

    /// A rule for all packets of a family.
    package init(_ family: IPAddress.Family, priority: UInt32, table: UInt32) {
        (self.family, self.priority, self.table) = (family, priority, table)
    }
}
