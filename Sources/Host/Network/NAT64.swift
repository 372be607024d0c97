import Packet

/// A network's prefix for IPv4 addresses in IPv6 ones, which its translator turns back (RFC 6052): how an uplink that has IPv6
/// alone reaches a server that has IPv4 alone.
public struct NAT64: Hashable, Sendable {
    /// 64:ff9b::/96 (RFC 6052 section 2.1), what most networks use.
    public static let wellKnown = NAT64(prefix: IPAddress(v6High: 0x0064_FF9B_0000_0000, low: 0), length: 96)!
    /// The name whose addresses of IPv6 are its addresses of IPv4 behind the network's prefix (RFC 7050).
    public static let probeName = "ipv4only.arpa"
    /// The addresses of IPv4 that it has for this purpose (RFC 7050 section 8): 192.0.0.170 and 192.0.0.171.
    private static let probed: [UInt64] = [0xC000_00AA, 0xC000_00AB]
    /// The lengths that there are (RFC 6052 section 2.2).
    private static let lengths = [96, 64, 56, 48, 40, 32]

    /// The prefix; all bits behind it are clear.
    public let prefix: IPAddress
    /// Its length in bits: 32, 40, 48, 56, 64 or 96.
    public let length: Int

    /// Nil when there is no such length, or the address is not an IPv6 one.
    public init?(prefix: IPAddress, length: Int) {
        guard prefix.family == .v6, Self.lengths.contains(length) else { return nil }
        let high = length >= 64 ? prefix.high : prefix.high & ~(UInt64.max >> UInt64(length))
        let low = length == 96 ? prefix.low & ~0xFFFF_FFFF : 0
        (self.prefix, self.length) = (IPAddress(v6High: high, low: low), length)
    }

    /// What a network's resolver gave for `probeName`; nil when that is no prefix (RFC 7050 section 3).
    public init?(probing addresses: [IPAddress]) {
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

    /// The IPv6 address that leads to an IPv4 one; nil for one that is IPv6 already. Bits 64 to 71 stay clear (RFC 6052 section
    /// 2.2).
    public func address(for ipv4: IPAddress) -> IPAddress? {
        guard ipv4.family == .v4 else { return nil }
        let bits = ipv4.low & 0xFFFF_FFFF
        if length == 96 { return IPAddress(v6High: prefix.high, low: prefix.low | bits) }
        // So many of the 32 bits lie before bit 64; the rest follow bit 72.
        let before = 64 - length
        let high = before >= 32 ? bits << UInt64(before - 32) : bits >> UInt64(32 - before)
        let rest = before >= 32 ? 0 : bits & (UInt64(1) << UInt64(32 - before) - 1)
        let low = before >= 32 ? 0 : rest << UInt64(56 - (32 - before))
        return IPAddress(v6High: prefix.high | high, low: low)
    }
}
