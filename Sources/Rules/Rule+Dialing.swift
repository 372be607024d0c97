import Packet

extension Rule {
    /// Whether a target may have this address: inside the tunnel, or, for a rule that may leave it, any unicast
    /// address.
    public func mayDial(_ address: IPAddress, reach: Reach) -> Bool {
        reach.contains(address) || mayLeaveTunnel && address.isUnicast
    }

    /// The permitted addresses of a target in the order in which they are tried: those of the preferred family
    /// first.
    public func dialOrder(_ addresses: [IPAddress], reach: Reach) -> [IPAddress] {
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
