/// The implementation of a suite for bulk data in this process: the fastest library that has passed its self-test.
///
/// The choice for a suite is made once, on first use: libcrypto has to produce the same bytes as libsodium and
/// refuse the same input, and then to be faster (`ProviderTrial`). That takes up to some 10 ms.
public struct BulkCipher: Equatable, Sendable, CustomStringConvertible {
    /// The suite.
    public let suite: CipherSuite
    /// The library chosen for it.
    public let provider: AEADProvider
    /// Whether libcrypto is available but failed its self-test and is not used. Worth a warning.
    public let distrustsLibcrypto: Bool

    /// The choice for `suite`; nil if no library here supports it.
    public static func of(_ suite: CipherSuite) -> BulkCipher? {
        switch suite {
        case .chacha20poly1305: chaChaPoly
        case .aes256gcm: aesGCM
        }
    }

    /// A sentence for the user if an available library is not used because it failed its self-test; otherwise nil.
    public var warning: String? {
        distrustsLibcrypto
            ? "libcrypto failed the self-test of \(suite) and is not used; update OpenSSL (libssl3)" : nil
    }

    /// The suite and the library: "aes-256-gcm (libcrypto)".
    public var description: String { "\(suite) (\(provider))" }

    private static let chaChaPoly = choose(.chacha20poly1305)
    private static let aesGCM = choose(.aes256gcm)

    private static func choose(_ suite: CipherSuite) -> BulkCipher? {
        choose(
            suite, among: AEADProvider.allCases.filter { $0.has(suite) }, trusts: ProviderTrial.passes,
            fastest: ProviderTrial.fastest)
    }

    static func choose(
        _ suite: CipherSuite, among providers: [AEADProvider], trusts: (CipherSuite) -> Bool,
        fastest: (CipherSuite) -> AEADProvider
    ) -> BulkCipher? {
        let hasSodium = providers.contains(.sodium)
        let distrusts = providers.contains(.libcrypto) && !trusts(suite)
        let hasLibcrypto = providers.contains(.libcrypto) && !distrusts
        guard hasSodium || hasLibcrypto else { return nil }
        let provider = hasSodium && hasLibcrypto ? fastest(suite) : hasSodium ? .sodium : .libcrypto
        return BulkCipher(suite: suite, provider: provider, distrustsLibcrypto: distrusts)
    }
}
