import Packet

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
