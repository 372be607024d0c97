/// The properties of an invitation to create.
public struct InvitationOrder: Hashable, Sendable, Codable {
    /// The name that the client will have.
    public var name: String
    /// Seconds until it expires.
    public var lifetime: Int
    /// How many clients may enrol with it.
    public var uses: Int
    /// The mode of packets to the client until it requests another; nil means the server's.
    public var mode: String?
    /// Where clients reach the server, `HOST:PORT`; empty means as set by `bondd init`.
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
