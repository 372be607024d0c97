import Packet

/// The addresses inside the tunnel: the tunnel's networks, except for this host's own addresses in them.
package struct Reach: Hashable, Sendable {
    /// Networks as an address and a prefix length.
    private var networks: [(address: IPAddress, prefix: Int)]
    private var own: [IPAddress]
    /// The tunnel's interface; nil if unknown.
    package let interface: String?

    /// - Parameters:
    ///   - networks: each as an address in it and the prefix length.
    ///   - own: this host's addresses in them.
    ///   - interface: the tunnel's interface; nil if unknown.
    package init(
        networks: [(address: IPAddress, prefix: Int)], own: [IPAddress], interface: String? = nil
    ) {
        self.interface = interface
        self.networks = networks
        self.own = own
    }

    /// Whether the address is reached through the tunnel.
    package func contains(_ address: IPAddress) -> Bool {
        !own.contains(address) && networks.contains { $0.address.matches(address, prefix: $0.prefix) }
    }

    /// The source address for connections to another address in the tunnel: the one in the same network, else
    /// one of the family. Nil if the address is outside, or there is none.
    package func source(for address: IPAddress) -> IPAddress? {
        guard contains(address) else { return nil }
        let network = networks.first { $0.address.matches(address, prefix: $0.prefix) }
        return own.first { own in network.map { $0.address.matches(own, prefix: $0.prefix) } ?? false }
            ?? own.first { $0.family == address.family }
    }

    /// Whether the networks and addresses are equal.
    package static func == (one: Reach, other: Reach) -> Bool {
        one.own == other.own && one.interface == other.interface
            && one.networks.elementsEqual(other.networks) { $0 == $1 }
    }

    /// Hashes the addresses.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(own)
        for network in networks {
            hasher.combine(network.address)
            hasher.combine(network.prefix)
        }
    }
}

extension Rule {
    /// Whether a target may have this address: inside the tunnel, or, for a rule that may leave it, any unicast
    /// address.
    package func mayDial(_ address: IPAddress, reach: Reach) -> Bool {
        reach.contains(address) || mayLeaveTunnel && address.isUnicast
    }

    /// The permitted addresses of a target in the order in which they are tried: those of the preferred family
    /// first.
    package func dialOrder(_ addresses: [IPAddress], reach: Reach) -> [IPAddress] {
        let allowed = addresses.filter { mayDial($0, reach: reach) }
        let preferred: IPAddress.Family = prefersIPv6 ? .v6 : .v4
        return allowed.filter { $0.family == preferred } + allowed.filter { $0.family != preferred }
    }
}

extension IPAddress {
    /// Whether it is a unicast address: neither unspecified (0.0.0.0/8, ::) nor multicast, reserved or broadcast.
    fileprivate var isUnicast: Bool {
        switch family {
        case .v4: (1..<224).contains(low >> 24)
        case .v6: high >> 56 != 0xFF && (high != 0 || low != 0)
        }
    }
}
