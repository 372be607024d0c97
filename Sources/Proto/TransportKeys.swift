import Packet

/// The keys of a session's two directions.
@frozen
public struct TransportKeys: ~Copyable, Sendable {
    /// Seals what this end sends.
    public var sending: DirectionKey
    /// Opens what this end receives.
    public var receiving: DirectionKey

    /// Two keys.
    public init(sending: consuming DirectionKey, receiving: consuming DirectionKey) {
        self.sending = sending
        self.receiving = receiving
    }

    /// The keys that a handshake ends with. Of each of the two 64-byte outputs of Noise's Split the first 32 bytes are
    /// the key, as Noise has it, and the next 12, which it drops, the IV; the first is the initiator's.
    init(split: borrowing SecretBytes, suite: CipherSuite, isInitiator: Bool) {
        let first = DirectionKey(
            material: UnsafeRawBufferPointer(split.slice(0, DirectionKey.materialSize)), suite: suite)
        let second = DirectionKey(
            material: UnsafeRawBufferPointer(
                split.slice(SymmetricState.hashSize, DirectionKey.materialSize)), suite: suite)
        if isInitiator {
            self.init(sending: first, receiving: second)
        } else {
            self.init(sending: second, receiving: first)
        }
    }
}
