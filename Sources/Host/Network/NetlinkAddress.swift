import CNetlink
import Glibc
import Packet
import Settings

/// libnl's `nl_addr` for a CIDR; its reference is dropped on deinit.
struct NetlinkAddress: ~Copyable {
    let object: OpaquePointer

    init(_ cidr: CIDR) throws(HostError) {
        var bytes = [UInt8](repeating: 0, count: 16)
        bytes.withUnsafeMutableBytes { cidr.address.write(to: $0) }
        let family = cidr.address.family == .v4 ? AF_INET : AF_INET6
        guard let object = nl_addr_build(family, bytes, cidr.address.byteCount) else {
            throw .netlink("name an address", code: NLE_NOMEM)
        }
        nl_addr_set_prefixlen(object, Int32(cidr.length))
        self.object = object
    }

    deinit { nl_addr_put(object) }
}

extension CIDR {
    /// A single address.
    init(host address: IPAddress) { self.init(address, length: address.byteCount * 8)! }

    /// The local address in a `rtnl_addr`; nil if it is not IP.
    init?(rtnlAddress object: OpaquePointer) {
        guard let local = rtnl_addr_get_local(object), let cidr = CIDR(nlAddress: local) else { return nil }
        self.init(cidr.address, length: Int(rtnl_addr_get_prefixlen(object)))
    }

    /// The address or network in a `nl_addr`; nil if it is not IP.
    init?(nlAddress object: OpaquePointer) {
        let count = Int(nl_addr_get_len(object))
        let address: IPAddress
        // A default route's network has no bytes at all.
        let bytes = nl_addr_get_binary_addr(object).map { UnsafeRawBufferPointer(start: $0, count: count) }
        switch (nl_addr_get_family(object), count) {
        case (AF_INET, 4): address = IPAddress(.v4, bytes: bytes!)
        case (AF_INET6, 16): address = IPAddress(.v6, bytes: bytes!)
        case (AF_INET, 0): address = IPAddress(v4: 0)
        case (AF_INET6, 0): address = IPAddress(v6High: 0, low: 0)
        default: return nil
        }
        self.init(address, length: Int(nl_addr_get_prefixlen(object)))
    }
}

extension NetworkInterface {
    /// IFF_LOWER_UP of linux/if.h, which glibc's net/if.h leaves out.
    private static let lowerUp: UInt32 = 1 << 16

    /// Reads a `rtnl_link`; nil if it has no name.
    init?(link: OpaquePointer) {
        guard let name = rtnl_link_get_name(link) else { return nil }
        let flags = rtnl_link_get_flags(link)
        // The operational state (IFF_RUNNING) lags behind the carrier, but accounts for ports that are not
        // admitted.
        let needed = UInt32(IFF_UP) | UInt32(IFF_RUNNING) | Self.lowerUp
        self.init(
            index: UInt32(bitPattern: rtnl_link_get_ifindex(link)), name: String(cString: name),
            mtu: Int(rtnl_link_get_mtu(link)), isUp: flags & UInt32(IFF_UP) != 0,
            hasCarrier: flags & needed == needed, kind: rtnl_link_get_type(link).map { String(cString: $0) },
            hardware: UInt16(truncatingIfNeeded: rtnl_link_get_arptype(link)), mac: Self.mac(of: link))
    }

    /// An Ethernet address has 6 bytes, InfiniBand's 20; point-to-point links have none.
    private static func mac(of link: OpaquePointer) -> String? {
        guard let address = rtnl_link_get_addr(link), case 6...20 = nl_addr_get_len(address),
            let bytes = nl_addr_get_binary_addr(address)
        else { return nil }
        let raw = UnsafeRawBufferPointer(start: bytes, count: Int(nl_addr_get_len(address)))
        return raw.contains { $0 != 0 } ? LinkAddress.text(raw) : nil
    }
}

/// The text form of hardware addresses.
enum LinkAddress {
    /// In lower case with colons: `52:54:00:12:34:56`.
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}
