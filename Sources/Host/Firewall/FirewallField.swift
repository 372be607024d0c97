import Packet

/// One value of a set's keys or data. Several stand side by side, each filled up with zeros to whole 4 bytes.
enum FirewallField: Hashable, Sendable {
    /// A protocol's number, one byte.
    case transport
    /// A port, two bytes in network order.
    case port
    /// An address, in network order.
    case address(IPAddress.Family)

    /// Its size in bytes, filled up.
    var size: Int {
        switch self {
        case .transport, .port: 4
        case .address(let family): family == .v4 ? 4 : 16
        }
    }

    /// nft's number of its type, so that it shows values as what they are.
    private var type: UInt32 {
        switch self {
        case .transport: 12
        case .port: 13
        case .address(let family): family == .v4 ? 7 : 8
        }
    }

    /// nft's number of several of them: six bits each.
    static func type(of fields: [FirewallField]) -> UInt32 { fields.reduce(0) { $0 << 6 | $1.type } }

    /// The size of several of them in bytes.
    static func size(of fields: [FirewallField]) -> Int { fields.reduce(0) { $0 + $1.size } }
}

extension [UInt8] {
    /// Puts a protocol's number behind the rest.
    mutating func append(transport number: UInt8) { self += [number, 0, 0, 0] }

    /// Puts a port behind the rest.
    mutating func append(port: UInt16) { self += [UInt8(port >> 8), UInt8(port & 0xFF), 0, 0] }

    /// Puts an address behind the rest.
    mutating func append(_ address: IPAddress) {
        var bytes = [UInt8](repeating: 0, count: address.byteCount)
        bytes.withUnsafeMutableBytes { address.write(to: $0) }
        self += bytes
    }
}
