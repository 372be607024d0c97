import Packet

/// Announces the key of a future client, over a session with an invitation's keys. The host's name follows, as
/// the reader's `tail`.
public struct EnrolFrame: Equatable, Sendable {
    /// The public key of the future client.
    public var publicKey: PublicKey

    /// A request to enrol `publicKey`.
    public init(publicKey: PublicKey) { self.publicKey = publicKey }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard body.count >= Wire.keySize else { return nil }
        publicKey = PublicKey(body.slice(0, Wire.keySize))
    }

    func write(to body: UnsafeMutableRawBufferPointer) {
        publicKey.storage.withUnsafeBytes { body.copyMemory(from: $0) }
    }
}
