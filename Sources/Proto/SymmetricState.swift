import Packet

/// Noise's SymmetricState with its CipherState (revision 34, sections 5.1 and 5.2), for ChaChaPoly and BLAKE2b.
///
/// There is always a key before the first `encryptAndHash`: all patterns with a preshared key mix one in with `e`.
struct SymmetricState: ~Copyable {
    static let hashSize = 64

    /// Chaining key 64 ‖ hash 64 ‖ key 32.
    private let secret: SecretBytes
    private var nonce: UInt64

    private var chainingKey: UnsafeMutableRawBufferPointer { secret.slice(0, Self.hashSize) }
    private var hash: UnsafeMutableRawBufferPointer { secret.slice(Self.hashSize, Self.hashSize) }
    private var key: UnsafeMutableRawBufferPointer { secret.slice(2 * Self.hashSize, Wire.keySize) }

    /// The initial state of the protocol `name`, of at most 64 characters.
    init(protocolName name: String) {
        secret = SecretBytes(count: 2 * Self.hashSize + Wire.keySize)
        nonce = 0
        hash.copyBytes(from: name.utf8)
        chainingKey.copyMemory(from: UnsafeRawBufferPointer(hash))
    }

    /// The state of IKpsk2 before its first message: the prologue and the responder's key are mixed in.
    init(prologue: [UInt8], responder: PublicKey) {
        self.init(protocolName: Wire.noiseName)
        prologue.withUnsafeBytes { mixHash($0) }
        responder.storage.withUnsafeBytes { mixHash($0) }
    }

    private init(secret: consuming SecretBytes, nonce: UInt64) {
        self.secret = secret
        self.nonce = nonce
    }

    /// An independent copy of the state.
    func copy() -> SymmetricState { SymmetricState(secret: secret.copy(), nonce: nonce) }

    /// The handshake hash, unique to this handshake: Noise's channel binding.
    var handshakeHash: [UInt8] { [UInt8](hash) }

    mutating func mixHash(_ data: UnsafeRawBufferPointer) {
        Blake2b.hash(into: hash, UnsafeRawBufferPointer(hash), data)
    }

    mutating func mixKey(_ input: UnsafeRawBufferPointer) {
        let outputs = SecretBytes(count: 2 * Self.hashSize)
        Blake2b.hkdf(chainingKey: UnsafeRawBufferPointer(chainingKey), input: input, outputs: outputs.bytes)
        chainingKey.copyMemory(from: UnsafeRawBufferPointer(outputs.slice(0, Self.hashSize)))
        setKey(outputs.slice(Self.hashSize, Wire.keySize))
    }

    mutating func mixKeyAndHash(_ input: UnsafeRawBufferPointer) {
        let outputs = SecretBytes(count: 3 * Self.hashSize)
        Blake2b.hkdf(chainingKey: UnsafeRawBufferPointer(chainingKey), input: input, outputs: outputs.bytes)
        chainingKey.copyMemory(from: UnsafeRawBufferPointer(outputs.slice(0, Self.hashSize)))
        mixHash(UnsafeRawBufferPointer(outputs.slice(Self.hashSize, Self.hashSize)))
        setKey(outputs.slice(2 * Self.hashSize, Wire.keySize))
    }

    /// Noise's token `e` in a pattern with a preshared key (section 9.2).
    mutating func mixEphemeral(_ key: PublicKey) {
        key.storage.withUnsafeBytes {
            mixHash($0)
            mixKey($0)
        }
    }

    /// Mixes in the shared secret of `secret` and `peer`.
    mutating func mixAgreement(_ secret: borrowing PrivateKey, _ peer: PublicKey) throws(ProtoError) {
        let shared = SecretBytes(count: Wire.keySize)
        try secret.agree(with: peer, into: shared.bytes)
        mixKey(UnsafeRawBufferPointer(shared.bytes))
    }

    /// Writes the sealed `plaintext`, 16 bytes longer, to the beginning of `out`.
    mutating func encryptAndHash(
        _ plaintext: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer
    ) {
        ChaChaPoly.seal(
            plaintext, into: out, additional: UnsafeRawBufferPointer(hash), nonce: nextNonce(),
            key: UnsafeRawBufferPointer(key))
        mixHash(UnsafeRawBufferPointer(out.slice(0, plaintext.count + Wire.tagSize)))
    }

    /// Writes the plaintext of `sealed`, 16 bytes shorter, to the beginning of `out`.
    /// - Throws: `notAuthentic`; the state is unusable afterwards.
    mutating func decryptAndHash(
        _ sealed: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer
    ) throws(ProtoError) {
        guard
            ChaChaPoly.open(
                sealed, into: out, additional: UnsafeRawBufferPointer(hash), nonce: nextNonce(),
                key: UnsafeRawBufferPointer(key))
        else { throw .notAuthentic }
        mixHash(sealed)
    }

    /// The two outputs of Split, 64 bytes each.
    func split() -> SecretBytes {
        let outputs = SecretBytes(count: 2 * Self.hashSize)
        Blake2b.hkdf(
            chainingKey: UnsafeRawBufferPointer(chainingKey), input: Blake2b.empty, outputs: outputs.bytes)
        return outputs
    }

    /// A MAC of `data` that only the two ends can compute, and only at this point of this handshake: its key is
    /// derived from the chaining key, and it covers the hash. Noise's own steps feed the chaining key with 32
    /// bytes or none, so `label` must have another length.
    func mac(_ label: StaticString, of data: UnsafeRawBufferPointer) -> Mac {
        precondition(label.utf8CodeUnitCount != Wire.keySize && label.utf8CodeUnitCount > 0)
        let outputs = SecretBytes(count: 2 * Self.hashSize)
        Blake2b.hkdf(
            chainingKey: UnsafeRawBufferPointer(chainingKey),
            input: label.bytes,
            outputs: outputs.bytes)
        let key = UnsafeRawBufferPointer(outputs.slice(0, Wire.keySize))
        return Mac(key: key, of: UnsafeRawBufferPointer(hash), data)
    }

    private mutating func setKey(_ bytes: UnsafeMutableRawBufferPointer) {
        key.copyMemory(from: UnsafeRawBufferPointer(bytes))
        nonce = 0
    }

    private mutating func nextNonce() -> Nonce {
        defer { nonce += 1 }
        return Nonce(noise: nonce)
    }
}
