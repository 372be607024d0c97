import Packet

/// What a responder says inside of its response.
public struct ResponsePayload: Equatable, Sendable {
    /// Whether the new session continues the previous one that the init named: its paths and sequences go on.
    public var continues: Bool

    /// A payload.
    public init(continues: Bool) { self.continues = continues }

    init(parsing bytes: UnsafeRawBufferPointer) { continues = bytes[0] & 1 == 1 }

    /// Where the sealed payload repeats the responder's session ID.
    static let senderOffset = 4

    func write(to bytes: UnsafeMutableRawBufferPointer, sender: UInt32) {
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        bytes[0] = continues ? 1 : 0
        bytes.storeBigEndian(sender, at: Self.senderOffset)
    }
}
