import Packet

/// What is inside the tunnel: the tunnel's networks, but for this host's own addresses in them.
public struct Reach: Hashable, Sendable {
    /// Networks as an address and the length of its prefix.
    private var networks: [(address: IPAddress, prefix: Int)]
    private var own: [IPAddress]

    /// - Parameters:
    ///   - networks: each as an address of it and the length of its prefix.
    ///   - own: this host's addresses in them.
    public init(networks: [(address: IPAddress, prefix: Int)], own: [IPAddress]) {
        self.networks = networks
        self.own = own
    }

    /// Whether the address is reached through the tunnel.
    public func contains(_ address: IPAddress) -> Bool {
        !own.contains(address) && networks.contains { $0.address.matches(address, prefix: $0.prefix) }
    }

    /// Whether the networks and addresses are the same.
    public static func == (one: Reach, other: Reach) -> Bool {
        one.own == other.own && one.networks.elementsEqual(other.networks) { $0 == $1 }
    }

    /// Hashes the addresses.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(own)
        for network in networks {
            hasher.combine(network.address)
            hasher.combine(network.prefix)
        }
    }
}
