import Packet

/// An initiator's payload, sealed inside its init.
public struct InitPayload: Equatable, Sendable {
    /// Later than in all its earlier inits; a responder refuses an init otherwise.
    public var timestamp: Timestamp
    /// The responder's ID of the session that the new one continues; 0 means none.
    public var previousSession: UInt32
    /// The generation of the preshared key that the responder gave the initiator, to be used in the response; 0
    /// means none.
    public var secretGeneration: UInt32

    /// A payload with these values.
    public init(timestamp: Timestamp, previousSession: UInt32 = 0, secretGeneration: UInt32 = 0) {
        self.timestamp = timestamp
        self.previousSession = previousSession
        self.secretGeneration = secretGeneration
    }

    init(parsing bytes: UnsafeRawBufferPointer) {
        timestamp = Timestamp(
            seconds: bytes.bigEndian(at: 0, as: UInt64.self),
            nanoseconds: bytes.bigEndian(at: 8, as: UInt32.self))
        previousSession = bytes.bigEndian(at: 12, as: UInt32.self)
        secretGeneration = bytes.bigEndian(at: Self.generationOffset, as: UInt32.self)
    }

    /// The offset at which the sealed payload repeats the initiator's session ID.
    static let senderOffset = 20
    private static let generationOffset = 24

    func write(to bytes: UnsafeMutableRawBufferPointer, sender: UInt32) {
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        bytes.storeBigEndian(timestamp.seconds, at: 0)
        bytes.storeBigEndian(timestamp.nanoseconds, at: 8)
        bytes.storeBigEndian(previousSession, at: 12)
        bytes.storeBigEndian(sender, at: Self.senderOffset)
        bytes.storeBigEndian(secretGeneration, at: Self.generationOffset)
    }
}

/// A responder's payload, sealed inside its response.
public struct ResponsePayload: Equatable, Sendable {
    /// Whether the new session continues the previous one that the init named, with its paths and sequences.
    public var continues: Bool

    /// A payload with this flag.
    public init(continues: Bool) { self.continues = continues }

    init(parsing bytes: UnsafeRawBufferPointer) { continues = bytes[0] & 1 == 1 }

    /// The offset at which the sealed payload repeats the responder's session ID.
    static let senderOffset = 4

    func write(to bytes: UnsafeMutableRawBufferPointer, sender: UInt32) {
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        bytes[0] = continues ? 1 : 0
        bytes.storeBigEndian(sender, at: Self.senderOffset)
    }
}
