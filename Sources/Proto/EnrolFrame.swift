import Packet

/// Whoever has shaken hands with an invitation's keys says which key is to be a client's. What its host is called follows, as
/// the reader's `tail`.
public struct EnrolFrame: Equatable, Sendable {
    /// The public key of the client to be.
    public var publicKey: PublicKey

    /// A wish to enrol.
    public init(publicKey: PublicKey) { self.publicKey = publicKey }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard body.count >= Wire.keySize else { return nil }
        publicKey = PublicKey(body.slice(0, Wire.keySize))
    }

    func write(to body: UnsafeMutableRawBufferPointer) {
        publicKey.storage.withUnsafeBytes { body.copyMemory(from: $0) }
    }
}
