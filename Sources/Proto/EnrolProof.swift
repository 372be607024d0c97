import CSodium
import Packet

/// Proof that the sender of an ENROL owns the key. Without it, the key's preshared key is not given out:
/// another holder of the invitation could name any key.
///
/// BLAKE2b, keyed with the shared secret of the key and the server's key, of its purpose and the invitation's
/// key. It is sent only to the server, inside the invitation's session.
public struct EnrolProof: Equatable, Sendable {
    let bytes: Bytes32

    /// The proof made by the owner of `own` for an enrolment at `server`, or expected of `other` by the server
    /// with the key `own`.
    /// - Parameters:
    ///   - own: the private key known here.
    ///   - other: the other end's key.
    ///   - invitation: the public key of the invitation used.
    /// - Throws: `weakKey` if `other` is a key of small order.
    public init(own: borrowing PrivateKey, other: PublicKey, invitation: PublicKey) throws(ProtoError) {
        let shared = SecretBytes(count: Wire.keySize)
        try own.agree(with: other, into: shared.bytes)
        var proof = Bytes32()
        let purpose: StaticString = "bondd enrol proof"
        invitation.storage.withUnsafeBytes { invitation in
            proof.withUnsafeMutableBytes {
                Blake2b.hash(into: $0, key: UnsafeRawBufferPointer(shared.bytes), purpose.bytes, invitation)
            }
        }
        bytes = proof
    }

    private init(_ bytes: Bytes32) { self.bytes = bytes }

    init?(parsing body: UnsafeRawBufferPointer) {
        guard body.count >= Wire.keySize else { return nil }
        self.init(Bytes32(body.slice(0, Wire.keySize)))
    }

    func write(to body: UnsafeMutableRawBufferPointer) {
        bytes.withUnsafeBytes { body.copyMemory(from: $0) }
    }
}
