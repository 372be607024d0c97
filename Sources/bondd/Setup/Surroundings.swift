import Host
import Packet
import Proto
import Runtime
import Settings

/// This host's addresses, for the choices that `bondd init` has to make.
struct Surroundings {
    /// Addresses of interfaces that are up, except loopback and bondd's own.
    let addresses: [CIDR]
    /// Whether the kernel has IPv6 and it is not disabled for new interfaces such as the tunnel's.
    let hasIPv6: Bool
    /// Whether the host has a route to the IPv6 internet.
    let reachesIPv6: Bool

    /// Reads the host's interfaces, addresses and routes.
    init() throws {
        let netlink = try Netlink()
        var found: [CIDR] = []
        for interface in try netlink.interfaces() where interface.isUp && interface.name != "lo" {
            found += try netlink.addresses(ofInterface: interface.index)
        }
        addresses = found
        let isOff = ["all", "default"].contains { name in
            let text = try? TextFile.read("/proc/sys/net/ipv6/conf/\(name)/disable_ipv6", limit: 64)
            return text.map { !$0.hasPrefix("0") } ?? true
        }
        hasIPv6 = !isOff
        let isRouted = try netlink.routes().contains {
            $0.kind == .unicast && $0.network.length == 0 && $0.network.address.family == .v6
        }
        reachesIPv6 = !isOff && isRouted
    }

    /// Addresses where clients may reach this host: its public ones, or its private ones when it has no
    /// others; IPv4 first, at most two per family.
    func endpoints(port: UInt16) -> [HostPort] {
        let usable = addresses.map(\.address).filter { !$0.isLinkLocal && !$0.isLoopback }
        let isPublic = usable.contains { !$0.isPrivate }
        let wanted = usable.filter { $0.isPrivate != isPublic }
        return [IPAddress.Family.v4, .v6].flatMap { family in
            wanted.filter { $0.family == family }.prefix(2).compactMap { address in
                HostPort(Endpoint(address: address, port: port).description)
            }
        }
    }

    /// The server's addresses in the tunnel: 10.77.0.1/24, or the like in a network that this host does not
    /// touch, and one from a random IPv6 network (RFC 4193 section 3.2.2).
    func tunnelAddresses() -> [CIDR] {
        let choices = (77..<256).map { UInt32(10) << 24 | UInt32($0) << 16 | 1 }
        let v4 = choices.lazy.compactMap { CIDR(IPAddress(v4: $0), length: 24) }.first { choice in
            !addresses.contains { $0.contains(choice.address) || choice.contains($0.address) }
        }
        var entropy = Entropy(seed: Sodium.systemSeed())
        let global = entropy.next() & 0xFF_FFFF_FFFF
        let v6 = CIDR(IPAddress(v6High: 0xFD << 56 | global << 16, low: 1), length: 64)
        return [v4, hasIPv6 ? v6 : nil].compactMap(\.self)
    }
}

extension IPAddress {
    /// Whether the address belongs to RFC 1918, RFC 6598 (shared by carriers) or RFC 4193, and so can't be
    /// reached from elsewhere.
    var isPrivate: Bool {
        switch family {
        case .v4:
            ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].contains { network in
                CIDR(network)?.contains(self) ?? false
            }
        case .v6: matches(IPAddress(v6High: 0xFC << 56, low: 0), prefix: 7)
        }
    }
}
