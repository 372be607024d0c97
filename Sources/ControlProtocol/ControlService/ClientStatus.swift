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

    /// Where its paths' datagrams come from, `ADDRESS:PORT`; nil while it has no session. `bondd clients` adds it, as the next ones.
    public var remotes: [String]?
    /// The version of its program, while it has a session and says so.
    public var version: String?
    /// Its paths that have used up their data for the month.
    public var spent: [String]?
    /// The round trip time of its fastest path that is up, in milliseconds.
    public var rtt: Double?
    /// Seconds since the handshake that the keys in use came from.
    public var handshakeAge: Double?

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
        case remotes, version, spent
        case rtt = "rtt_ms"
        case handshakeAge = "handshake_age_s"
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

extension ClientStatus {
    /// Adds what bondd knows of its session.
    public mutating func add(_ session: SessionStatus) {
        isUp = session.state == "up"
        remotes = session.paths.map(\.remote).filter { !$0.isEmpty }
        version = session.version
        spent = session.paths.filter { $0.state == "spent" }.map(\.name)
        rtt = session.paths.filter { $0.state == "up" && $0.rtt > 0 }.map(\.rtt).min()
        handshakeAge = session.rekeyAge
    }
}
