/// A client in a `Handover`.
public struct HandedClient: Hashable, Sendable, Codable {
    /// Its name, unique among the clients.
    public var name: String
    /// Its public key (X25519), 32 bytes in base64.
    public var publicKey: String
    /// Its addresses in the tunnel's networks, without prefixes.
    public var addresses: [String]
    /// The mode of packets to it until it requests another; nil means the server's.
    public var mode: String?
    /// The networks behind it that are routed to it, `NETWORK/PREFIX`; nil means none.
    public var networks: [String]?

    private enum CodingKeys: String, CodingKey {
        case name
        case publicKey = "public_key"
        case addresses, mode, networks
    }

    /// A client.
    public init(
        name: String, publicKey: String, addresses: [String], mode: String? = nil, networks: [String]? = nil
    ) {
        self.name = name
        self.publicKey = publicKey
        self.addresses = addresses
        self.mode = mode
        self.networks = networks
    }
}
