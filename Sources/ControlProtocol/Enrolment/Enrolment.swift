/// An enrolment request by the holder of an invitation, which bondd passes to bondd-control.
package struct Enrolment: Hashable, Sendable, Codable {
    /// Identifies the request between bondd and bondd-control during this run of bondd.
    package var id: Int
    /// The invitation's `id`.
    package var invitation: Int
    /// The public key of the future client, 32 bytes in base64.
    package var publicKey: String
    /// The client's name for itself, usually its host's name; empty if it gives none. Not to be trusted.
    package var host: String

    private enum CodingKeys: String, CodingKey {
        case id, invitation
        case publicKey = "public_key"
        case host
    }

    /// An enrolment request.
    package init(id: Int, invitation: Int, publicKey: String, host: String) {
        self.id = id
        self.invitation = invitation
        self.publicKey = publicKey
        self.host = host
    }
}
