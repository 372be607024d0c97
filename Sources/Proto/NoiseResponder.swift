import Packet

/// The responder's side of Noise's pattern IKpsk2: see `NoiseInitiator`.
struct NoiseResponder: ~Copyable {
    /// The initiator's static key. The first message, which may be a replay, proves ownership of it.
    let remoteStatic: PublicKey

    private var symmetric: SymmetricState
    private let remoteEphemeral: PublicKey

    /// Reads the first message, its payload to `payload`.
    /// - Throws: `weakKey`, `notAuthentic`, `noRoom`.
    init(
        reading message: UnsafeRawBufferPointer, staticKey: borrowing PrivateKey, prologue: [UInt8],
        payload: UnsafeMutableRawBufferPointer
    ) throws(ProtoError) {
        guard message.count >= NoiseInitiator.firstOverhead else { throw .notAuthentic }
        guard payload.count >= message.count - NoiseInitiator.firstOverhead else { throw .noRoom }
        let ephemeral = PublicKey(message.slice(0, Wire.keySize))
        var symmetric = SymmetricState(prologue: prologue, responder: staticKey.publicKey)
        symmetric.mixEphemeral(ephemeral)
        try symmetric.mixAgreement(staticKey, ephemeral)
        let opened = SecretBytes(count: Wire.keySize)
        try symmetric.decryptAndHash(
            message.slice(Wire.keySize, Wire.keySize + Wire.tagSize), into: opened.bytes)
        let remote = PublicKey(UnsafeRawBufferPointer(opened.bytes))
        try symmetric.mixAgreement(staticKey, remote)
        try symmetric.decryptAndHash(message.dropping(2 * Wire.keySize + Wire.tagSize), into: payload)
        self.symmetric = symmetric
        remoteStatic = remote
        remoteEphemeral = ephemeral
    }

    /// A MAC of `data` that the initiator can also compute.
    func mac(_ label: StaticString, of data: UnsafeRawBufferPointer) -> Mac { symmetric.mac(label, of: data) }

    /// Writes the second message to `out`.
    /// - Returns: the state to split.
    /// - Throws: `weakKey`, `noRoom`.
    consuming func write(
        ephemeral: borrowing PrivateKey, presharedKey: PresharedKey, payload: UnsafeRawBufferPointer,
        into out: UnsafeMutableRawBufferPointer
    ) throws(ProtoError) -> SymmetricState {
        guard out.count >= NoiseInitiator.secondOverhead + payload.count else { throw .noRoom }
        symmetric.mixEphemeral(ephemeral.publicKey)
        ephemeral.publicKey.storage.withUnsafeBytes { out.copyMemory(from: $0) }
        try symmetric.mixAgreement(ephemeral, remoteEphemeral)
        try symmetric.mixAgreement(ephemeral, remoteStatic)
        presharedKey.storage.withUnsafeBytes { symmetric.mixKeyAndHash($0) }
        symmetric.encryptAndHash(payload, into: out.dropping(Wire.keySize))
        return symmetric
    }
}
