import Packet

/// A path's first hop: two paths with the same one share a link, add no capacity to each other and fail together.
package struct FirstHop: Equatable, Sendable {
    /// The path's name.
    package let path: String
    /// The index of the path's interface.
    package let interface: UInt32
    /// The path's own address.
    package let local: IPAddress
    /// The router; nil on a link without one.
    package let router: IPAddress?
    /// The router's hardware address; nil if unknown.
    package let mac: String?

    /// The first hop of a path.
    package init(path: String, interface: UInt32, local: IPAddress, router: IPAddress?, mac: String?) {
        (self.path, self.interface, self.local) = (path, interface, local)
        (self.router, self.mac) = (router, mac)
    }

    /// Whether both paths use one router. On two interfaces it must have one hardware address there, and give
    /// the paths different addresses of one network: two modems of the same model may share an address, and
    /// even a hardware address, and are still two routers.
    package func isShared(with other: FirstHop) -> Bool {
        guard router == other.router else { return false }
        if interface == other.interface { return true }
        guard router != nil, let mac, mac == other.mac, local != other.local else { return false }
        return local.family == .v4 || local.high == other.local.high
    }

    /// For each path, the first preceding one in the list with the same router.
    package static func shared(_ hops: [FirstHop]) -> [(path: String, with: FirstHop)] {
        hops.enumerated().compactMap { number, hop in
            hops[..<number].first(where: hop.isShared).map { (hop.path, $0) }
        }
    }
}
