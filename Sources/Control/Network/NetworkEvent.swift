import Settings

/// A change of links or addresses, as the kernel tells it.
public enum NetworkEvent: Hashable, Sendable {
    /// An interface appeared or changed in some way.
    case link(NetworkInterface)
    /// An interface was deleted; its index may come again with another.
    case linkDeleted(index: UInt32, name: String)
    /// An interface got an address, or it changed (tentative → usable).
    case addressAdded(index: UInt32, CIDR)
    /// An interface lost an address.
    case addressRemoved(index: UInt32, CIDR)
    /// The kernel dropped events as they were read too late: ask for everything again.
    case overflow
}
