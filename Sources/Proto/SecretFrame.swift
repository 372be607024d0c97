import Packet

/// Gives a client its preshared key of the newest generation.
public struct SecretFrame: Equatable, Sendable {
    /// The key and its generation.
    public var secret: ClientSecret

    /// A frame with that key.
    public init(_ secret: ClientSecret) { self.secret = secret }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard body.count >= Wire.secretBodySize else { return nil }
        let generation = body.bigEndian(at: 0, as: UInt32.self)
        guard generation != 0 else { return nil }
        secret = ClientSecret(
            generation: generation, key: PresharedKey(Bytes32(body.slice(4, Wire.keySize))))
    }

    func write(to body: UnsafeMutableRawBufferPointer) {
        body.storeBigEndian(secret.generation, at: 0)
        secret.key.storage.withUnsafeBytes { body.dropping(4).copyMemory(from: $0) }
    }
}
