/// A client as `bondd clients` lists it.
public struct ClientStatus: Hashable, Sendable, Codable {
    /// Its name.
    public var name: String
    /// Its public key in base64.
    public var publicKey: String
    /// Its addresses in the tunnel.
    public var addresses: [String]
    /// `state` (invited) or `file` (from the configuration, which alone can change it).
    public var source: String
    /// Whether it has a session now; nil when bondd does not answer.
    public var isUp: Bool?
    /// When it enrolled, seconds since 1970; nil for one from the file.
    public var enrolledAt: Int?
    /// When its session was last seen up, seconds since 1970; nil: never.
    public var lastSeenAt: Int?
    /// Bytes of datagrams that it was sent since it enrolled, over all paths.
    public var sentBytes: Int
    /// Bytes of datagrams that came from it.
    public var receivedBytes: Int
    /// The networks behind it that are routed to it, `NETWORK/PREFIX`; nil where bondd-control does not say.
    public var networks: [String]?

    private enum CodingKeys: String, CodingKey {
        case name
        case publicKey = "public_key"
        case addresses, source
        case isUp = "up"
        case enrolledAt = "enrolled_at"
        case lastSeenAt = "last_seen_at"
        case sentBytes = "tx_bytes"
        case receivedBytes = "rx_bytes"
        case networks
    }

    /// A client.
    public init(
        name: String, publicKey: String, addresses: [String], source: String, isUp: Bool? = nil,
        enrolledAt: Int? = nil, lastSeenAt: Int? = nil, sentBytes: Int = 0, receivedBytes: Int = 0
    ) {
        self.name = name
        self.publicKey = publicKey
        self.addresses = addresses
        self.source = source
        self.isUp = isUp
        self.enrolledAt = enrolledAt
        self.lastSeenAt = lastSeenAt
        self.sentBytes = sentBytes
        self.receivedBytes = receivedBytes
    }
}
