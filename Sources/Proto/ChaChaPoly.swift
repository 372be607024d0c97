import CSodium
import Packet

/// ChaCha20-Poly1305 (RFC 8439) by libsodium, which has been started by creating the `SecretBytes` of the key.
enum ChaChaPoly {
    /// Writes the sealed `plaintext` and its tag to the beginning of `out`, which may begin where `plaintext` does.
    @inline(__always)
    static func seal(
        _ plaintext: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer,
        additional: UnsafeRawBufferPointer, nonce: Nonce, key: UnsafeRawBufferPointer
    ) {
        precondition(out.count >= plaintext.count &+ Wire.tagSize && key.count >= Wire.keySize)
        withUnsafeBytes(of: nonce) { nonce in
            _ = crypto_aead_chacha20poly1305_ietf_encrypt(
                out.octets, nil, plaintext.octets, UInt64(plaintext.count), additional.octets,
                UInt64(additional.count), nil, nonce.octets, key.octets)
        }
    }

    /// Verifies the tag at the end of `sealed` and writes the plaintext to the beginning of `out`, which may begin
    /// where `sealed` does. Returns false if the tag is wrong; `out` then contains zeros there.
    @inline(__always)
    static func open(
        _ sealed: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer,
        additional: UnsafeRawBufferPointer, nonce: Nonce, key: UnsafeRawBufferPointer
    ) -> Bool {
        guard sealed.count >= Wire.tagSize else { return false }
        precondition(out.count >= sealed.count &- Wire.tagSize && key.count >= Wire.keySize)
        return withUnsafeBytes(of: nonce) { nonce in
            crypto_aead_chacha20poly1305_ietf_decrypt(
                out.octets, nil, nil, sealed.octets, UInt64(sealed.count), additional.octets,
                UInt64(additional.count), nonce.octets, key.octets) == 0
        }
    }
}
