import Packet

/// A PROXY protocol header, which tells a target the caller's address (haproxy.org, proxy-protocol.txt,
/// 2020/03/05).
package struct ProxyHeader: Sendable {
    /// The caller and the address called, both of one family; nil for this host's own connections.
    private let ends: (source: Endpoint, destination: Endpoint)?
    private let version: ProxyVersion

    /// Maximum length of a header in bytes: that of a version 1 line.
    package static let maximumSize = 107

    /// 12 bytes with which no other protocol begins.
    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]

    /// The header for a connection. IPv4-mapped IPv6 addresses (::ffff:0:0/96) are written as IPv4; if only one
    /// end is IPv4, it is written as an IPv4-mapped address.
    /// - Parameters:
    ///   - source: the caller.
    ///   - destination: the local address of the connection.
    package init(_ version: ProxyVersion, source: Endpoint, destination: Endpoint) {
        self.version = version
        var ends = (source: source, destination: destination)
        ends.source.address = source.address.unmapped
        ends.destination.address = destination.address.unmapped
        if ends.source.address.family != ends.destination.address.family {
            ends.source.address = ends.source.address.mapped
            ends.destination.address = ends.destination.address.mapped
        }
        self.ends = ends
    }

    /// The header of a probe, which this host makes for itself.
    package init(probe version: ProxyVersion) {
        self.version = version
        ends = nil
    }

    /// Writes the header.
    /// - Precondition: `bytes` has room for `maximumSize`.
    /// - Returns: its length in bytes.
    package func write(to bytes: UnsafeMutableRawBufferPointer) -> Int {
        precondition(bytes.count >= Self.maximumSize)
        switch version {
        case .v1:
            let line = self.line
            bytes.copyBytes(from: line.utf8)
            return line.utf8.count
        case .v2: return writeBinary(to: bytes)
        }
    }

    private var line: String {
        guard let (source, destination) = ends else { return "PROXY UNKNOWN\r\n" }
        let family = source.address.family == .v4 ? "TCP4" : "TCP6"
        return
            "PROXY \(family) \(source.address) \(destination.address) \(source.port) \(destination.port)\r\n"
    }

    private func writeBinary(to bytes: UnsafeMutableRawBufferPointer) -> Int {
        bytes.copyBytes(from: Self.signature)
        // Version 2; LOCAL is 0, PROXY 1. Then AF_INET 1 or AF_INET6 2, and STREAM 1.
        guard let (source, destination) = ends else {
            bytes[12] = 0x20
            bytes[13] = 0
            bytes.storeBigEndian(UInt16(0), at: 14)
            return 16
        }
        let size = source.address.byteCount
        bytes[12] = 0x21
        bytes[13] = source.address.family == .v4 ? 0x11 : 0x21
        bytes.storeBigEndian(UInt16(2 * size + 4), at: 14)
        source.address.write(to: bytes.dropping(16))
        destination.address.write(to: bytes.dropping(16 + size))
        bytes.storeBigEndian(source.port, at: 16 + 2 * size)
        bytes.storeBigEndian(destination.port, at: 18 + 2 * size)
        return 20 + 2 * size
    }
}

extension IPAddress {
    /// The IPv4 address in ::ffff:0:0/96 (RFC 4291 2.5.5.2), or the address itself.
    package var unmapped: IPAddress {
        guard family == .v6, high == 0, low >> 32 == 0xFFFF else { return self }
        return IPAddress(v4: UInt32(truncatingIfNeeded: low))
    }

    /// The IPv4-mapped IPv6 address in ::ffff:0:0/96, or the address itself.
    package var mapped: IPAddress {
        family == .v4 ? IPAddress(v6High: 0, low: 0xFFFF << 32 | low) : self
    }
}
