/// A handle to one buffer of a `PacketPool`, in four bytes: handles move through the tunnel, packets stay in
/// place.
public struct Slot: Hashable, Sendable {
    /// The buffer's number in its pool.
    public let index: UInt32

    @inlinable init(index: UInt32) { self.index = index }

    /// No buffer. A sentinel instead of an Optional keeps the tables of slots at four bytes for each.
    public static let none = Slot(index: .max)
}
