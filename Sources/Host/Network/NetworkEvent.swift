import Settings

/// A change of links, addresses, routes or rules reported by the kernel.
package enum NetworkEvent: Hashable, Sendable {
    /// An interface appeared or changed in some way.
    case link(NetworkInterface)
    /// An interface was deleted; its index may be reused.
    case linkDeleted(index: UInt32, name: String)
    /// An interface got an address, or an address changed (tentative → usable).
    case addressAdded(index: UInt32, CIDR)
    /// An interface lost an address.
    case addressRemoved(index: UInt32, CIDR)
    /// A route through an interface was added, changed or removed; 0 for a route without an interface.
    case routeChanged(index: UInt32, origin: UInt8)
    /// A rule was added or removed.
    case ruleChanged
    /// The kernel dropped events because they were read too late: read the full state again.
    case overflow
}
