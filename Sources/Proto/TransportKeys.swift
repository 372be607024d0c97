import Packet

/// The keys of a session's two directions.
@frozen
public struct TransportKeys: ~Copyable, Sendable {
    /// Seals outgoing datagrams.
    public let sending: DirectionKey
    /// Opens incoming datagrams.
    public let receiving: DirectionKey

    /// The keys of both directions.
    public init(sending: consuming DirectionKey, receiving: consuming DirectionKey) {
        self.sending = sending
        self.receiving = receiving
    }

    /// The keys derived at the end of a handshake. Of each of the two 64-byte outputs of Noise's Split the
    /// first 32 bytes are the key, as in Noise, and the next 12, which Noise discards, the IV; the first output
    /// is the initiator's.
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
