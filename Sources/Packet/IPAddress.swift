/// An IPv4 or IPv6 address. IPv4 lives in the low 32 bits of `low`.
public struct IPAddress: Hashable, Sendable {
    /// The address family.
    public enum Family: UInt8, Sendable {
        case v4 = 4
        case v6 = 6

        /// Bytes of IP and UDP headers before a datagram's payload, without options (RFC 791, RFC 8200, RFC 768).
        public var outerHeaders: Int { self == .v4 ? 20 + 8 : 40 + 8 }
    }

    /// The address family.
    public let family: Family
    /// The upper 64 bits of an IPv6 address; 0 for IPv4.
    public let high: UInt64
    /// The lower 64 bits of an IPv6 address, or the 32 bits of an IPv4 address.
    public let low: UInt64

    /// An IPv4 address from its 32 bits in host order.
    @inlinable public init(v4 bits: UInt32) {
        family = .v4
        high = 0
        low = UInt64(bits)
    }

    /// An IPv6 address from its two halves in host order.
    @inlinable public init(v6High: UInt64, low: UInt64) {
        family = .v6
        high = v6High
        self.low = low
    }

    /// The address's length on the wire: 4 or 16 bytes.
    @inlinable public var byteCount: Int { family == .v4 ? 4 : 16 }

    /// Reads an address in network order.
    /// - Precondition: `bytes` holds 4 or 16 bytes, depending on the family.
    @inlinable public init(_ family: Family, bytes: UnsafeRawBufferPointer) {
        switch family {
        case .v4: self.init(v4: bytes.bigEndian(at: 0, as: UInt32.self))
        case .v6:
            self.init(
                v6High: bytes.bigEndian(at: 0, as: UInt64.self),
                low: bytes.bigEndian(at: 8, as: UInt64.self))
        }
    }

    /// Writes the address in network order.
    /// - Precondition: `bytes` has room for `byteCount` bytes.
    @inlinable public func write(to bytes: UnsafeMutableRawBufferPointer) {
        switch family {
        case .v4: bytes.storeBigEndian(UInt32(truncatingIfNeeded: low), at: 0)
        case .v6:
            bytes.storeBigEndian(high, at: 0)
            bytes.storeBigEndian(low, at: 8)
        }
    }

    /// Whether the family and the first `prefix` bits of both addresses are equal.
    @inlinable public func matches(_ other: IPAddress, prefix: Int) -> Bool {
        guard family == other.family else { return false }
        if family == .v4 {
            return prefix <= 0 || prefix <= 32 && (low ^ other.low) >> UInt64(32 - prefix) == 0
        }
        if prefix <= 0 { return true }
        if prefix <= 64 { return (high ^ other.high) >> UInt64(64 - prefix) == 0 }
        return high == other.high && (prefix <= 128 && (low ^ other.low) >> UInt64(128 - prefix) == 0)
    }

    /// The address with all but its first `prefix` bits cleared; unchanged if it has no more bits than that.
    @inlinable public func masked(to prefix: Int) -> IPAddress {
        let bits = byteCount * 8
        if prefix >= bits { return self }
        let kept = max(prefix, 0)
        if family == .v4 {
            return IPAddress(
                v4: kept == 0 ? 0 : UInt32(truncatingIfNeeded: low) & (UInt32.max << UInt32(32 - kept)))
        }
        return IPAddress(
            v6High: kept == 0 ? 0 : kept >= 64 ? high : high & (UInt64.max << UInt64(64 - kept)),
            low: kept <= 64 ? 0 : low & (UInt64.max << UInt64(128 - kept)))
    }

    /// Whether the address is in fe80::/10 or 169.254.0.0/16, where it is only meaningful together with an
    /// interface.
    @inlinable public var isLinkLocal: Bool {
        family == .v4 ? low >> 16 == 0xA9FE : high >> 54 == 0x3FA
    }

    /// Whether it is a multicast address: 224.0.0.0/4 (RFC 5771) or ff00::/8 (RFC 4291 2.7).
    @inlinable public var isMulticast: Bool { family == .v4 ? low >> 28 == 0xE : high >> 56 == 0xFF }

    /// Whether it is a loopback address: 127.0.0.0/8 (RFC 1122 3.2.1.3) or ::1 (RFC 4291 2.5.3).
    @inlinable public var isLoopback: Bool {
        family == .v4 ? low >> 24 == 127 : high == 0 && low == 1
    }
}
