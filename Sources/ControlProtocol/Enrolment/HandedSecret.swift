/// A generation of the server's root secret in a `Handover`, from which the preshared keys of clients follow.
public struct HandedSecret: Hashable, Sendable, Codable {
    /// Its number; later ones are higher.
    public var generation: UInt32
    /// 32 bytes in base64. Secret.
    public var secret: String

    /// A generation.
    public init(generation: UInt32, secret: String) {
        self.generation = generation
        self.secret = secret
    }
}
