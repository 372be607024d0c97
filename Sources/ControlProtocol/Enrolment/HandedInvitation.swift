/// An invitation in a `Handover`. Its keys are derived from the link's secret (see `InvitationKeys` in Proto).
public struct HandedInvitation: Hashable, Sendable, Codable {
    /// Identifies it between bondd and bondd-control.
    public var id: Int
    /// The public key used in handshakes by the holder of the link, 32 bytes in base64.
    public var publicKey: String
    /// The handshake's PSK, 32 bytes in base64. Secret.
    public var presharedKey: String

    private enum CodingKeys: String, CodingKey {
        case id
        case publicKey = "public_key"
        case presharedKey = "preshared_key"
    }

    /// An invitation.
    public init(id: Int, publicKey: String, presharedKey: String) {
        self.id = id
        self.publicKey = publicKey
        self.presharedKey = presharedKey
    }
}
