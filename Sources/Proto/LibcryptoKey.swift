#if canImport(CCrypto)
    import CCrypto
    import Packet

    /// A key of either suite as libcrypto expands it, about 1 KiB.
    ///
    /// It holds the state of the current packet, so two threads must not use it at once; `DirectionKey`, its
    /// only owner, requires that of its callers.
    struct LibcryptoKey: ~Copyable, @unchecked Sendable {
        private let context: OpaquePointer

        // Looked up once in a process, and only read from then on.
        nonisolated(unsafe) private static let chaChaPoly = ccrypto_cipher("ChaCha20-Poly1305")
        nonisolated(unsafe) private static let aesGCM = ccrypto_cipher("AES-256-GCM")

        private static func cipher(of suite: CipherSuite) -> OpaquePointer? {
            switch suite {
            case .chacha20poly1305: chaChaPoly
            case .aes256gcm: aesGCM
            }
        }

        /// Whether this machine's libcrypto supports the suite.
        static func has(_ suite: CipherSuite) -> Bool { cipher(of: suite) != nil }

        /// Creates the key from 32 bytes; nil if libcrypto does not support the suite.
        init?(_ suite: CipherSuite, _ key: UnsafeRawBufferPointer) {
            precondition(key.count == Wire.keySize)
            guard let cipher = Self.cipher(of: suite), let context = ccrypto_context(cipher, key.octets)
            else {
                return nil
            }
            self.context = context
        }

        deinit { ccrypto_free(context) }

        /// Like `ChaChaPoly.seal`.
        @inline(__always)
        func seal(
            _ plaintext: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer,
            additional: UnsafeRawBufferPointer, nonce: Nonce
        ) {
            precondition(out.count >= plaintext.count &+ Wire.tagSize)
            let isSealed = withUnsafeBytes(of: nonce) { nonce in
                ccrypto_seal(
                    context, out.octets, plaintext.octets, CInt(plaintext.count), additional.octets,
                    CInt(additional.count), nonce.octets)
            }
            // No input makes it fail; if it did, sending would reveal the plaintext.
            precondition(isSealed == 1, "libcrypto could not seal")
        }

        /// Like `ChaChaPoly.open`.
        @inline(__always)
        func open(
            _ sealed: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer,
            additional: UnsafeRawBufferPointer, nonce: Nonce
        ) -> Bool {
            let length = sealed.count &- Wire.tagSize
            guard length >= 0 else { return false }
            precondition(out.count >= length)
            return withUnsafeBytes(of: nonce) { nonce in
                ccrypto_open(
                    context, out.octets, sealed.octets, CInt(length), additional.octets,
                    CInt(additional.count), nonce.octets) == 1
            }
        }
    }
#endif
