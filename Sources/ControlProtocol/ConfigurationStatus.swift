/// Which configuration is in force in bondd, so that bondd-control can go by the same one.
public struct ConfigurationStatus: Hashable, Sendable, Codable {
    /// The digest of the text that is in force (see `ConfigurationFile`).
    public var digest: String
    /// The tunnel's addresses in force, each with its prefix.
    public var addresses: [String]
    /// The digest of the text that bondd has last refused; nil when it has taken one since.
    public var refusedDigest: String?
    /// Why it has refused it.
    public var refusal: String?

    private enum CodingKeys: String, CodingKey {
        case digest, addresses, refusal
        case refusedDigest = "refused_digest"
    }

    /// A configuration that is in force.
    public init(
        digest: String, addresses: [String], refusedDigest: String? = nil, refusal: String? = nil
    ) {
        self.digest = digest
        self.addresses = addresses
        self.refusedDigest = refusedDigest
        self.refusal = refusal
    }
}
