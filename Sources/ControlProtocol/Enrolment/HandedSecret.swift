/// A generation of the server's root secret in a `Handover`, from which the preshared keys of clients are derived.
public struct HandedSecret: Hashable, Sendable, Codable {
    /// The number of the generation; later ones are higher.
    public var generation: UInt32
    /// The 32 bytes in base64. Secret.
    public var secret: String

    /// A generation and its secret.
    public init(generation: UInt32, secret: String) {
        self.generation = generation
        self.secret = secret
    }
}
