/// An open invitation in the output of `bondd clients`, without its secret.
public struct InvitationStatus: Hashable, Sendable, Codable {
    /// The name that the client will have.
    public var name: String
    /// How many more clients may enrol with it.
    public var usesLeft: Int
    /// When it expires, as Unix time in seconds.
    public var expiresAt: Int

    private enum CodingKeys: String, CodingKey {
        case name
        case usesLeft = "uses_left"
        case expiresAt = "expires_at"
    }

    /// An invitation.
    public init(name: String, usesLeft: Int, expiresAt: Int) {
        self.name = name
        self.usesLeft = usesLeft
        self.expiresAt = expiresAt
    }
}
