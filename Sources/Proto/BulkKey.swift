import Packet

/// A 32-byte key in the form required by the chosen library.
enum BulkKey: ~Copyable, Sendable {
    case sodiumChaChaPoly(SecretBytes)
    case sodiumAES(SodiumAESKey)
    #if canImport(CCrypto)
        case libcrypto(LibcryptoKey)
    #endif

    /// Creates the key; nil if `provider` does not support `suite`.
    init?(_ key: UnsafeRawBufferPointer, suite: CipherSuite, provider: AEADProvider) {
        switch (provider, suite) {
        case (.sodium, .chacha20poly1305):
            let secret = SecretBytes(count: Wire.keySize)
            secret.bytes.copyMemory(from: key)
            self = .sodiumChaChaPoly(secret)
        case (.sodium, .aes256gcm):
            guard let key = SodiumAESKey(key) else { return nil }
            self = .sodiumAES(key)
        case (.libcrypto, _):
            #if canImport(CCrypto)
                guard let key = LibcryptoKey(suite, key) else { return nil }
                self = .libcrypto(key)
            #else
                return nil
            #endif
        }
    }

    /// Writes the sealed `plaintext` and its tag to the beginning of `out`, which may begin where `plaintext` does.
    @inline(__always)
    func seal(
        _ plaintext: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer,
        additional: UnsafeRawBufferPointer, nonce: Nonce
    ) {
        switch self {
        case .sodiumChaChaPoly(let key):
            ChaChaPoly.seal(
                plaintext, into: out, additional: additional, nonce: nonce,
                key: UnsafeRawBufferPointer(key.bytes))
        case .sodiumAES(let key): key.seal(plaintext, into: out, additional: additional, nonce: nonce)
        #if canImport(CCrypto)
            case .libcrypto(let key): key.seal(plaintext, into: out, additional: additional, nonce: nonce)
        #endif
        }
    }

    /// Verifies the tag at the end of `sealed` and writes the plaintext to the beginning of `out`, which may begin where
    /// `sealed` does. Returns false if the tag is wrong; `out` then contains zeros there.
    @inline(__always)
    func open(
        _ sealed: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer,
        additional: UnsafeRawBufferPointer, nonce: Nonce
    ) -> Bool {
        switch self {
        case .sodiumChaChaPoly(let key):
            ChaChaPoly.open(
                sealed, into: out, additional: additional, nonce: nonce,
                key: UnsafeRawBufferPointer(key.bytes))
        case .sodiumAES(let key): key.open(sealed, into: out, additional: additional, nonce: nonce)
        #if canImport(CCrypto)
            case .libcrypto(let key): key.open(sealed, into: out, additional: additional, nonce: nonce)
        #endif
        }
    }
}
