import Packet

/// The 24 bytes in front of every datagram.
public struct Header: Equatable, Sendable {
    /// The kind of datagram.
    public var kind: Kind
    /// The high nibble of the kind's byte, 0...15.
    public var flags: UInt8
    /// The session, by the ID that the receiver chose; 0 in an init.
    public var sessionID: UInt32
    /// Data: the inner packet's sequence. Control: the lowest data sequence that this path may still carry.
    public var sequence: UInt64
    /// The path, by the ID that the client chose.
    public var pathID: UInt16
    /// The datagram's number on its path, 48 bits.
    public var packetNumber: UInt64

    /// Creates a header; `flags` and `packetNumber` are truncated to 4 and 48 bits on the wire.
    @inlinable public init(
        kind: Kind, flags: UInt8 = 0, sessionID: UInt32, sequence: UInt64 = 0, pathID: UInt16,
        packetNumber: UInt64 = 0
    ) {
        self.kind = kind
        self.flags = flags
        self.sessionID = sessionID
        self.sequence = sequence
        self.pathID = pathID
        self.packetNumber = packetNumber
    }

    /// Parses the header of `datagram`; nil unless it has 24 bytes, the magic, version 1 and a known kind.
    @inlinable public init?(parsing datagram: UnsafeRawBufferPointer) {
        guard datagram.count >= Wire.headerSize else { return nil }
        let start = datagram.bigEndian(at: 0, as: UInt32.self)
        guard start >> 8 == UInt32(Wire.magic) << 8 | UInt32(Wire.version),
            let kind = Kind(rawValue: UInt8(truncatingIfNeeded: start & 15))
        else { return nil }
        let end = datagram.bigEndian(at: 16, as: UInt64.self)
        self.kind = kind
        flags = UInt8(truncatingIfNeeded: start >> 4 & 15)
        sessionID = datagram.bigEndian(at: 4, as: UInt32.self)
        sequence = datagram.bigEndian(at: 8, as: UInt64.self)
        pathID = UInt16(truncatingIfNeeded: end >> 48)
        packetNumber = end & Wire.maximumPacketNumber
    }

    /// Whether `datagram` has the magic and another version. That alone does not justify an answer: see
    /// `Gatekeeper.writeVersionReply`.
    public static func isUnknownVersion(_ datagram: UnsafeRawBufferPointer) -> Bool {
        datagram.count >= Wire.headerSize && datagram.bigEndian(at: 0, as: UInt16.self) == Wire.magic
            && datagram[2] != Wire.version
    }

    /// Writes the header's 24 bytes to the beginning of `datagram`.
    /// - Precondition: `datagram` has room for them.
    @inlinable public func write(to datagram: UnsafeMutableRawBufferPointer) {
        precondition(datagram.count >= Wire.headerSize)
        let start =
            UInt32(Wire.magic) << 16 | UInt32(Wire.version) << 8 | UInt32(flags & 15) << 4
            | UInt32(kind.rawValue)
        datagram.storeBigEndian(start, at: 0)
        datagram.storeBigEndian(sessionID, at: 4)
        datagram.storeBigEndian(sequence, at: 8)
        datagram.storeBigEndian(UInt64(pathID) << 48 | packetNumber & Wire.maximumPacketNumber, at: 16)
    }
}

/// The kind of a datagram: the low nibble of the header's fourth byte.
public enum Kind: UInt8, Sendable {
    /// The first message of a handshake.
    case handshakeInit = 1
    /// The answer that completes the handshake.
    case handshakeResponse = 2
    /// "Prove that you receive at this address", from a responder under load.
    case cookie = 3
    /// A sealed inner packet.
    case data = 4
    /// Sealed frames.
    case control = 5
}
