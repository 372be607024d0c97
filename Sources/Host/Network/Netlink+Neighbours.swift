import CNetlink
import Glibc
import Packet
import Settings

/// A host on an interface's link whose hardware address the kernel has resolved.
package struct Neighbour: Hashable, Sendable {
    /// The index of the interface.
    package let interface: UInt32
    /// The host's IP address.
    package let address: IPAddress
    /// The hardware address, in lower case with colons.
    package let mac: String
}

extension Netlink {
    /// The neighbors of both families whose hardware addresses are known.
    package borrowing func neighbours() throws(HostError) -> [Neighbour] {
        var cache: OpaquePointer?
        try check(rtnl_neigh_alloc_cache(socket, &cache), "list neighbours")
        defer { nl_cache_free(cache) }
        var neighbours: [Neighbour] = []
        var object = nl_cache_get_first(cache)
        while let entry = object {
            object = nl_cache_get_next(entry)
            guard let address = rtnl_neigh_get_dst(entry).flatMap({ CIDR(nlAddress: $0)?.address }),
                let link = rtnl_neigh_get_lladdr(entry), nl_addr_get_len(link) >= 6,
                let bytes = nl_addr_get_binary_addr(link)
            else { continue }
            let raw = UnsafeRawBufferPointer(start: bytes, count: Int(nl_addr_get_len(link)))
            neighbours.append(
                Neighbour(
                    interface: UInt32(bitPattern: rtnl_neigh_get_ifindex(entry)), address: address,
                    mac: LinkAddress.text(raw)))
        }
        return neighbours
    }
}
