import Packet
import Settings

/// One way of a route: a network, and where its packets go. A route over several next hops is several of these.
public struct NetworkRoute: Hashable, Sendable {
    /// What becomes of the packets.
    public enum Kind: Hashable, Sendable {
        /// They leave through an interface.
        case unicast
        /// They are refused at once (ENETUNREACH, ICMP "unreachable").
        case unreachable
        /// The table has nothing to say of them: the next rule is asked.
        case passOn
    }

    /// The table that it is in; 254 is the main one, which is asked last, 255 the local one.
    public var table: UInt32
    /// The packets that it is for.
    public var network: CIDR
    /// What becomes of them.
    public var kind = Kind.unicast
    /// The interface that they leave through; 0 unless `unicast`.
    public var interface: UInt32 = 0
    /// The router that they are handed to, for IPv4 also one with an IPv6 address (RTA_VIA, RFC 8950); nil when the network
    /// is on the link.
    public var gateway: IPAddress?
    /// The address that packets without one leave from; nil: the kernel's choice.
    public var source: IPAddress?
    /// Of routes to the same network in a table the lowest wins.
    public var metric: UInt32 = 0
    /// Who made it (RTPROT_…).
    public var origin: UInt8 = 0

    /// The main table.
    public static let mainTable: UInt32 = 254
    /// The table of the host's own addresses, which the kernel keeps.
    public static let localTable: UInt32 = 255
    /// The origin of the routes that the kernel makes of an interface's addresses (RTPROT_KERNEL).
    static let kernelOrigin: UInt8 = 2
    /// The origin of routes that an administrator's program has set, and of the tunnel's own in the main table (RTPROT_STATIC).
    public static let staticOrigin: UInt8 = 4
    /// The origin of bondd's routes and rules. Values from 100 to 185 are nobody's in the kernel's list (RTPROT_*) and in
    /// iproute2's.
    public static let ownOrigin: UInt8 = 0xB0

    /// A unicast route that nobody made yet.
    public init(table: UInt32, network: CIDR, interface: UInt32) {
        (self.table, self.network, self.interface) = (table, network, interface)
    }
}
