import Packet
import Settings

/// A rule of policy routing: which packets look into which table, in the order of their priorities.
public struct RoutingRule: Hashable, Sendable {
    /// The family of the packets.
    public var family: IPAddress.Family
    /// Rules are asked in ascending order.
    public var priority: UInt32
    /// The table that they look into.
    public var table: UInt32
    /// The priority of the rule to go on with, in place of a table; nil: it looks into the table.
    public var target: UInt32?
    /// Whether it is for all packets but those described.
    public var isInverted = false
    /// The mark that they have; nil: any.
    public var mark: UInt32?
    /// The bits of the mark that count.
    public var mask: UInt32 = .max
    /// Where they come from; nil: anywhere.
    public var source: CIDR?
    /// Where they go; nil: anywhere.
    public var destination: CIDR?
    /// The port that they go to; nil: any.
    public var destinationPort: UInt16?
    /// The interface that they came through; nil: any.
    public var input: String?
    /// The interface that their socket is bound to; nil: any or none.
    public var output: String?
    /// Routes with a prefix no longer than this are ignored; nil: none is.
    public var suppressedPrefix: UInt32?
    /// Who made it (RTPROT_…).
    public var origin = NetworkRoute.ownOrigin

    /// A number that changes nothing: a mark none of whose bits count. It tells rules apart that are alike else.
    public var label: UInt32? {
        get { mask == 0 ? mark : nil }
        set { (mark, mask) = (newValue, newValue == nil ? .max : 0) }
    }

    /// One for all packets of a family.
    public init(_ family: IPAddress.Family, priority: UInt32, table: UInt32) {
        (self.family, self.priority, self.table) = (family, priority, table)
    }
}
