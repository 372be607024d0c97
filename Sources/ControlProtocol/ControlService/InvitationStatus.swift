/// An open invitation as `bondd clients` lists it; never its secret.
public struct InvitationStatus: Hashable, Sendable, Codable {
    /// The name that the client will have.
    public var name: String
    /// How many more clients may enrol with it.
    public var usesLeft: Int
    /// When it expires, seconds since 1970.
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
