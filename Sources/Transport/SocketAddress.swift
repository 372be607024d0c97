import Glibc
import Packet

/// Writes and reads `sockaddr_in` and `sockaddr_in6` in place: family (host order), port, then for IPv4 the
/// address at 4, for IPv6 the flow label at 4, the address at 8 and the scope (host order) at 24.
public enum SocketAddress {
    /// Room for either kind.
    public static let size = 28

    /// Writes `endpoint` and returns its length: 16 or 28 bytes.
    public static func write(_ endpoint: Endpoint, to bytes: UnsafeMutableRawBufferPointer) -> socklen_t {
        bytes.storeBigEndian(endpoint.port, at: 2)
        switch endpoint.address.family {
        case .v4:
            bytes.storeBytes(of: sa_family_t(AF_INET), as: sa_family_t.self)
            endpoint.address.write(to: bytes.dropping(4))
            bytes.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
            return 16
        case .v6:
            bytes.storeBytes(of: sa_family_t(AF_INET6), as: sa_family_t.self)
            bytes.storeBytes(of: 0, toByteOffset: 4, as: UInt32.self)
            endpoint.address.write(to: bytes.dropping(8))
            bytes.storeBytes(of: endpoint.zone, toByteOffset: 24, as: UInt32.self)
            return 28
        }
    }

    /// The endpoint in `bytes`; nil if it is of another family.
    public static func read(_ bytes: UnsafeRawBufferPointer) -> Endpoint? {
        let port = bytes.bigEndian(at: 2, as: UInt16.self)
        switch Int32(bytes.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET: return Endpoint(address: IPAddress(.v4, bytes: bytes.dropping(4)), port: port)
        case AF_INET6:
            return Endpoint(
                address: IPAddress(.v6, bytes: bytes.dropping(8)), port: port,
                zone: bytes.loadUnaligned(fromByteOffset: 24, as: UInt32.self))
        default: return nil
        }
    }
}
