/// Somebody with an invitation wants to become a client: bondd asks bondd-control.
public struct Enrolment: Hashable, Sendable, Codable {
    /// Names it between bondd and bondd-control, as long as bondd runs.
    public var id: Int
    /// The invitation's `id`.
    public var invitation: Int
    /// The public key of the client to be, 32 bytes in base64.
    public var publicKey: String
    /// What the client calls itself, mostly its host's name; empty when it does not say. Not to be trusted.
    public var host: String

    private enum CodingKeys: String, CodingKey {
        case id, invitation
        case publicKey = "public_key"
        case host
    }

    /// An enrolment.
    public init(id: Int, invitation: Int, publicKey: String, host: String) {
        self.id = id
        self.invitation = invitation
        self.publicKey = publicKey
        self.host = host
    }
}
