import Packet

/// A network's prefix for embedding IPv4 addresses in IPv6 ones, which its translator converts back (RFC 6052):
/// it lets an IPv6-only uplink reach an IPv4-only server.
package struct NAT64: Hashable, Sendable {
    /// 64:ff9b::/96 (RFC 6052 section 2.1), used by most networks.
    package static let wellKnown = NAT64(
        prefix: IPAddress(v6High: 0x0064_FF9B_0000_0000, low: 0), length: 96)!
    /// The name whose IPv6 addresses are its IPv4 addresses behind the network's prefix (RFC 7050).
    package static let probeName = "ipv4only.arpa"
    /// The IPv4 addresses of that name (RFC 7050 section 8): 192.0.0.170 and 192.0.0.171.
    private static let probed: [UInt64] = [0xC000_00AA, 0xC000_00AB]
    /// The possible prefix lengths (RFC 6052 section 2.2).
    private static let lengths = [96, 64, 56, 48, 40, 32]

    /// The prefix; all bits after it are clear.
    package let prefix: IPAddress
    /// The prefix length in bits: 32, 40, 48, 56, 64 or 96.
    package let length: Int

    /// Nil if the length is not one of those, or the address is not IPv6.
    package init?(prefix: IPAddress, length: Int) {
        guard prefix.family == .v6, Self.lengths.contains(length) else { return nil }
        let high = length >= 64 ? prefix.high : prefix.high & ~(UInt64.max >> UInt64(length))
        let low = length == 96 ? prefix.low & ~0xFFFF_FFFF : 0
        (self.prefix, self.length) = (IPAddress(v6High: high, low: low), length)
    }

    /// Derives the prefix from a resolver's answer for `probeName`; nil if it contains none (RFC 7050 section 3).
    package init?(probing addresses: [IPAddress]) {
        for address in addresses where address.family == .v6 {
            for length in Self.lengths {
                guard let candidate = NAT64(prefix: address, length: length) else { continue }
                if Self.probed.contains(where: {
                    candidate.address(for: IPAddress(v4: UInt32($0))) == address
                }) {
                    self = candidate
                    return
                }
            }
        }
        return nil
    }

    /// The IPv6 address for an IPv4 one; nil if the argument is IPv6 already. Bits 64 to 71 stay clear (RFC
    /// 6052 section 2.2).
    package func address(for ipv4: IPAddress) -> IPAddress? {
        guard ipv4.family == .v4 else { return nil }
        let bits = ipv4.low & 0xFFFF_FFFF
        if length == 96 { return IPAddress(v6High: prefix.high, low: prefix.low | bits) }
        // This many of the 32 bits precede bit 64; the rest follow bit 72.
        let before = 64 - length
        let high = before >= 32 ? bits << UInt64(before - 32) : bits >> UInt64(32 - before)
        let rest = before >= 32 ? 0 : bits & (UInt64(1) << UInt64(32 - before) - 1)
        let low = before >= 32 ? 0 : rest << UInt64(56 - (32 - before))
        return IPAddress(v6High: prefix.high | high, low: low)
    }
}
