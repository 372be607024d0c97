import CSodium
import Packet

/// Proof that whoever enrols a key owns it. Nobody else is given the key's preshared key: another holder of the invitation
/// could say any key.
///
/// BLAKE2b, keyed with what the key and the server's key agree on, of what it is for and the invitation's key. It is sent to
/// the server alone, inside of the invitation's session.
public struct EnrolProof: Equatable, Sendable {
    let bytes: Bytes32

    /// The proof that the owner of `own` makes for an enrolment at `server`, or the server with the key `own` expects of
    /// `other`.
    /// - Parameters:
    ///   - own: the one private key that is known here.
    ///   - other: the other end's key.
    ///   - invitation: the public key of the invitation that is enrolled with.
    /// - Throws: `weakKey` when `other` is a key of small order.
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
