/// The part of `Status` that says what seals the packets.
public struct CipherStatus: Hashable, Sendable, Codable {
    /// `chacha20-poly1305` or `aes-256-gcm`.
    public var suite: String
    /// `libsodium` or `libcrypto`: what was faster of those that passed their self-test.
    public var library: String

    /// A cipher.
    public init(suite: String, library: String) {
        self.suite = suite
        self.library = library
    }
}
