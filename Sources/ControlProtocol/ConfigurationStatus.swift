/// The configuration in force in bondd, which bondd-control follows.
public struct ConfigurationStatus: Hashable, Sendable, Codable {
    /// The digest of the text in force (see `ConfigurationFile`).
    public var digest: String
    /// The tunnel's addresses in force, each with its prefix.
    public var addresses: [String]
    /// The digest of the text that bondd last refused; nil if it has accepted one since.
    public var refusedDigest: String?
    /// Why it refused that text.
    public var refusal: String?

    private enum CodingKeys: String, CodingKey {
        case digest, addresses, refusal
        case refusedDigest = "refused_digest"
    }

    /// A configuration in force.
    public init(
        digest: String, addresses: [String], refusedDigest: String? = nil, refusal: String? = nil
    ) {
        self.digest = digest
        self.addresses = addresses
        self.refusedDigest = refusedDigest
        self.refusal = refusal
    }
}
