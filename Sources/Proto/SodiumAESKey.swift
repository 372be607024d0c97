import CSodium
import Packet

/// An AES-256-GCM key (NIST SP 800-38D) as libsodium expands it, on CPUs with AES instructions.
struct SodiumAESKey: ~Copyable, Sendable {
    private let expanded: SecretBytes

    /// Whether libsodium supports the cipher on this CPU.
    static var isAvailable: Bool {
        Sodium.start()
        return crypto_aead_aes256gcm_is_available() == 1
    }

    /// Creates the key from 32 bytes; nil if the CPU does not support it.
    init?(_ key: UnsafeRawBufferPointer) {
        precondition(key.count == Wire.keySize)
        guard Self.isAvailable else { return nil }
        // Its memory is aligned to 64, more than the 16 that libsodium requires.
        expanded = SecretBytes(count: crypto_aead_aes256gcm_statebytes())
        crypto_aead_aes256gcm_beforenm(state, key.octets)
    }

    /// Like `ChaChaPoly.seal`.
    @inline(__always)
    func seal(
        _ plaintext: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer,
        additional: UnsafeRawBufferPointer, nonce: Nonce
    ) {
        precondition(out.count >= plaintext.count &+ Wire.tagSize)
        withUnsafeBytes(of: nonce) { nonce in
            _ = crypto_aead_aes256gcm_encrypt_afternm(
                out.octets, nil, plaintext.octets, UInt64(plaintext.count), additional.octets,
                UInt64(additional.count), nil, nonce.octets, state)
        }
    }

    /// Like `ChaChaPoly.open`.
    @inline(__always)
    func open(
        _ sealed: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer,
        additional: UnsafeRawBufferPointer, nonce: Nonce
    ) -> Bool {
        guard sealed.count >= Wire.tagSize else { return false }
        precondition(out.count >= sealed.count &- Wire.tagSize)
        return withUnsafeBytes(of: nonce) { nonce in
            crypto_aead_aes256gcm_decrypt_afternm(
                out.octets, nil, nil, sealed.octets, UInt64(sealed.count), additional.octets,
                UInt64(additional.count), nonce.octets, state) == 0
        }
    }

    private var state: UnsafeMutablePointer<crypto_aead_aes256gcm_state> {
        UnsafeMutableRawPointer(expanded.bytes.octets).assumingMemoryBound(
            to: crypto_aead_aes256gcm_state.self)
    }
}
