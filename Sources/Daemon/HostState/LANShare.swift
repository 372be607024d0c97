import Host
import Packet
import Settings

/// A client's `[lan]`: the table that shares the tunnel, what it was made from, and its faults.
struct LANShare {
    /// What the server and the tunnel say of it. Nothing is known before the first assignment.
    struct Terms: Equatable {
        /// The IP versions in which this host has an address in the tunnel.
        var families: Set<IPAddress.Family> = []
        /// The networks that the server routes here.
        var networks: [CIDR] = []
        /// The name servers that are reached through the tunnel.
        var resolvers: [IPAddress] = []
    }

    var terms = Terms()
    /// The table as it was set.
    var table: FirewallTable?
    /// The IP versions that are forwarded for the LAN's sake.
    var families: Set<IPAddress.Family> = []
    /// Why the LAN, or a part of it, has no tunnel: one sentence each, with the remedy.
    var problems: [String] = []
}
