/// A handle to one buffer of a `PacketPool`. Four bytes: handles move through the tunnel, bytes stay where they are.
public struct Slot: Hashable, Sendable {
    /// The buffer's number in its pool.
    public let index: UInt32

    @inlinable init(index: UInt32) { self.index = index }

    /// No buffer at all. A sentinel instead of an Optional keeps the tables that hold slots at four bytes a slot.
    public static let none = Slot(index: .max)
}
