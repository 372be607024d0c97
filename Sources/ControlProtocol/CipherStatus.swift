/// The cipher in `Status`.
public struct CipherStatus: Hashable, Sendable, Codable {
    /// `chacha20-poly1305` or `aes-256-gcm`.
    public var suite: String
    /// `libsodium` or `libcrypto`: the faster one of those that passed their self-test.
    public var library: String

    /// A suite and its library.
    public init(suite: String, library: String) {
        self.suite = suite
        self.library = library
    }
}
