import Packet

/// The initiator's side of Noise's pattern IKpsk2 (revision 34, sections 5.3, 7.5 and 9.4):
///
///     <- s
///     ...
///     -> e, es, s, ss
///     <- e, ee, se, psk
///
/// Each message ends with a sealed payload, which fills the message's fixed length.
struct NoiseInitiator: ~Copyable {
    private let symmetric: SymmetricState
    private let staticKey: PrivateKey
    private let ephemeral: PrivateKey

    /// Bytes that the messages add to their payloads.
    static let firstOverhead = 2 * Wire.keySize + 2 * Wire.tagSize
    static let secondOverhead = Wire.keySize + Wire.tagSize

    /// Writes the first message to `out`.
    /// - Throws: `weakKey` if `responder` is of small order.
    init(
        staticKey: borrowing PrivateKey, ephemeral: consuming PrivateKey, responder: PublicKey,
        prologue: [UInt8], payload: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer
    ) throws(ProtoError) {
        guard out.count >= Self.firstOverhead + payload.count else { throw .noRoom }
        var symmetric = SymmetricState(prologue: prologue, responder: responder)
        symmetric.mixEphemeral(ephemeral.publicKey)
        ephemeral.publicKey.storage.withUnsafeBytes { out.copyMemory(from: $0) }
        try symmetric.mixAgreement(ephemeral, responder)
        staticKey.publicKey.storage.withUnsafeBytes {
            symmetric.encryptAndHash($0, into: out.dropping(Wire.keySize))
        }
        try symmetric.mixAgreement(staticKey, responder)
        symmetric.encryptAndHash(payload, into: out.dropping(2 * Wire.keySize + Wire.tagSize))
        self.symmetric = symmetric
        self.staticKey = staticKey.copy()
        self.ephemeral = ephemeral
    }

    /// A MAC of `data` that the responder can also compute once it has read the first message.
    func mac(_ label: StaticString, of data: UnsafeRawBufferPointer) -> Mac { symmetric.mac(label, of: data) }

    /// Reads the second message, its payload to `payload`. Even after an error, another message can be read.
    /// - Returns: the state to split.
    /// - Throws: `weakKey`, `notAuthentic`, `noRoom`.
    func read(
        _ message: UnsafeRawBufferPointer, presharedKey: PresharedKey,
        payload: UnsafeMutableRawBufferPointer
    ) throws(ProtoError) -> SymmetricState {
        guard message.count >= Self.secondOverhead else { throw .notAuthentic }
        guard payload.count >= message.count - Self.secondOverhead else { throw .noRoom }
        let remote = PublicKey(message.slice(0, Wire.keySize))
        var symmetric = symmetric.copy()
        symmetric.mixEphemeral(remote)
        try symmetric.mixAgreement(ephemeral, remote)
        try symmetric.mixAgreement(staticKey, remote)
        presharedKey.storage.withUnsafeBytes { symmetric.mixKeyAndHash($0) }
        try symmetric.decryptAndHash(message.dropping(Wire.keySize), into: payload)
        return symmetric
    }
}
