import Packet

/// One field of a set's keys or data. Fields follow each other, each padded with zeros to a multiple of 4 bytes.
enum FirewallField: Hashable, Sendable {
    /// A protocol number, one byte.
    case transport
    /// A port, two bytes in network order.
    case port
    /// An address, in network order.
    case address(IPAddress.Family)

    /// The padded size in bytes.
    var size: Int {
        switch self {
        case .transport, .port: 4
        case .address(let family): family == .v4 ? 4 : 16
        }
    }

    /// nft's type number, by which it formats values.
    private var type: UInt32 {
        switch self {
        case .transport: 12
        case .port: 13
        case .address(let family): family == .v4 ? 7 : 8
        }
    }

    /// nft's type number of a concatenation: six bits for each field.
    static func type(of fields: [FirewallField]) -> UInt32 { fields.reduce(0) { $0 << 6 | $1.type } }

    /// The size of a concatenation in bytes.
    static func size(of fields: [FirewallField]) -> Int { fields.reduce(0) { $0 + $1.size } }
}

extension [UInt8] {
    /// Appends a protocol number.
    mutating func append(transport number: UInt8) { self += [number, 0, 0, 0] }

    /// Appends a port.
    mutating func append(port: UInt16) { self += [UInt8(port >> 8), UInt8(port & 0xFF), 0, 0] }

    /// Appends an address.
    mutating func append(_ address: IPAddress) {
        var bytes = [UInt8](repeating: 0, count: address.byteCount)
        bytes.withUnsafeMutableBytes { address.write(to: $0) }
        self += bytes
    }
}
