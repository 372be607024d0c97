/// A library that seals and opens bulk data. Handshakes always use libsodium.
public enum AEADProvider: CaseIterable, Sendable, CustomStringConvertible {
    /// libsodium, which is always available. Its AES-256-GCM needs AES instructions.
    case sodium
    /// OpenSSL's libcrypto, unless it was left out of the build.
    case libcrypto

    /// The library's name.
    public var description: String {
        switch self {
        case .sodium: "libsodium"
        case .libcrypto: "libcrypto"
        }
    }

    /// Whether the library supports `suite`, in this build and on this CPU.
    func has(_ suite: CipherSuite) -> Bool {
        switch self {
        case .sodium: return suite == .chacha20poly1305 || SodiumAESKey.isAvailable
        case .libcrypto:
            #if canImport(CCrypto)
                return LibcryptoKey.has(suite)
            #else
                return false
            #endif
        }
    }
}
