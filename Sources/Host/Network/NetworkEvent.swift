import Settings

/// A change of links, addresses, routes or rules, as the kernel tells it.
public enum NetworkEvent: Hashable, Sendable {
    /// An interface appeared or changed in some way.
    case link(NetworkInterface)
    /// An interface was deleted; its index may come again with another.
    case linkDeleted(index: UInt32, name: String)
    /// An interface got an address, or it changed (tentative → usable).
    case addressAdded(index: UInt32, CIDR)
    /// An interface lost an address.
    case addressRemoved(index: UInt32, CIDR)
    /// A route through an interface came, changed or went; 0 for one without interface.
    case routeChanged(index: UInt32, origin: UInt8)
    /// A rule came or went.
    case ruleChanged
    /// The kernel dropped events as they were read too late: ask for everything again.
    case overflow
}
