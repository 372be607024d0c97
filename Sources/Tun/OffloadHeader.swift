import Glibc

/// The header that the kernel puts before each packet of a TUN device with offloads, and expects before each
/// written one: virtio's network header (virtio 1.2 section 5.1.6), 10 bytes in the machine's byte order.
public struct OffloadHeader: Equatable, Sendable {
    /// The length in bytes.
    public static let size = 10

    /// The kind of segments the packet has to be cut into.
    public enum Segments: UInt8, Sendable {
        /// None: a single packet.
        case none = 0
        /// TCP over IPv4.
        case tcp4 = 1
        /// TCP over IPv6.
        case tcp6 = 4
        /// UDP, each segment a datagram (USO, Linux 6.2).
        case udp = 5
    }

    /// Whether the transport checksum holds only the pseudo header's sum.
    public var needsChecksum = false
    /// The kind of segments the packet has to be cut into.
    public var segments = Segments.none
    /// Bytes of all headers, for a packet of segments.
    public var headerLength: UInt16 = 0
    /// Bytes of payload in each segment.
    public var segmentSize: UInt16 = 0
    /// The offset of the first byte covered by the checksum.
    public var checksumStart: UInt16 = 0
    /// The offset of the checksum, relative to `checksumStart`.
    public var checksumOffset: UInt16 = 0

    /// A header without any offload.
    public init() {}

    /// Parses the kernel's header; nil if its kind of segments is unknown.
    init?(reading bytes: UnsafeRawBufferPointer) {
        needsChecksum = bytes[0] & 1 != 0
        // The highest bit only says that ECN is in use, which the packet shows itself.
        guard let segments = Segments(rawValue: bytes[1] & 0x7F) else { return nil }
        self.segments = segments
        headerLength = bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
        segmentSize = bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self)
        checksumStart = bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self)
        checksumOffset = bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
    }

    /// Writes the header.
    func write(to bytes: UnsafeMutableRawBufferPointer) {
        bytes[0] = needsChecksum ? 1 : 0
        bytes[1] = segments.rawValue
        bytes.storeBytes(of: headerLength, toByteOffset: 2, as: UInt16.self)
        bytes.storeBytes(of: segmentSize, toByteOffset: 4, as: UInt16.self)
        bytes.storeBytes(of: checksumStart, toByteOffset: 6, as: UInt16.self)
        bytes.storeBytes(of: checksumOffset, toByteOffset: 8, as: UInt16.self)
    }
}
