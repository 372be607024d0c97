/// What an invitation is to be.
public struct InvitationOrder: Hashable, Sendable, Codable {
    /// The name that the client will have.
    public var name: String
    /// Seconds until it expires.
    public var lifetime: Int
    /// How many clients may enrol with it.
    public var uses: Int
    /// The mode that packets to the client are sent in until it asks for another; nil: the server's.
    public var mode: String?
    /// Where clients reach the server, `HOST:PORT`; empty: as `bondd init` was told or found.
    public var endpoints: [String]

    private enum CodingKeys: String, CodingKey {
        case name
        case lifetime = "ttl_s"
        case uses, mode, endpoints
    }

    /// An order.
    public init(
        name: String, lifetime: Int = 86400, uses: Int = 1, mode: String? = nil, endpoints: [String] = []
    ) {
        self.name = name
        self.lifetime = lifetime
        self.uses = uses
        self.mode = mode
        self.endpoints = endpoints
    }
}
