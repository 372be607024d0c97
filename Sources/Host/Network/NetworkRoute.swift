import Packet
import Settings

/// A network and the next hop for its packets. A route with several next hops is several of these.
package struct NetworkRoute: Hashable, Sendable {
    /// What happens to the packets.
    package enum Kind: Hashable, Sendable {
        /// They leave through an interface.
        case unicast
        /// They are refused at once (ENETUNREACH, ICMP "unreachable").
        case unreachable
        /// The table has no route for them: the next rule applies (RTN_THROW).
        case passOn
    }

    /// The table it is in: 254 is the main one, 255 the local one.
    package var table: UInt32
    /// The destination.
    package var network: CIDR
    /// What happens to the packets.
    package var kind = Kind.unicast
    /// The index of the output interface; 0 unless `unicast`.
    package var interface: UInt32 = 0
    /// The next hop, for IPv4 possibly with an IPv6 address (RTA_VIA, RFC 8950); nil if the network is on the
    /// link.
    package var gateway: IPAddress?
    /// The source address for packets that have none yet; nil means the kernel's choice.
    package var source: IPAddress?
    /// Of the routes to one network in a table, the one with the lowest metric wins.
    package var metric: UInt32 = 0
    /// The program that created it (RTPROT_…).
    package var origin: UInt8 = 0

    /// The main table.
    package static let mainTable: UInt32 = 254
    /// The table of the host's own addresses, maintained by the kernel.
    package static let localTable: UInt32 = 255
    /// The origin of routes that the kernel creates for an interface's addresses (RTPROT_KERNEL).
    static let kernelOrigin: UInt8 = 2
    /// The origin of routes set by an administrator's program, and of the tunnel's own in the main table
    /// (RTPROT_STATIC).
    package static let staticOrigin: UInt8 = 4
    /// The origin of bondd's routes and rules. Values from 100 to 185 are unassigned in the kernel's list
    /// (RTPROT_*) and in iproute2's.
    package static let ownOrigin: UInt8 = 0xB0

    /// A unicast route with origin and metric 0.
    package init(table: UInt32, network: CIDR, interface: UInt32) {
        (self.table, self.network, self.interface) = (table, network, interface)
    }
}
