/// A client in the output of `bondd clients`.
package struct ClientStatus: Hashable, Sendable, Codable {
    /// Its name.
    package var name: String
    /// Its public key in base64.
    package var publicKey: String
    /// Its addresses in the tunnel.
    package var addresses: [String]
    /// `state` (invited) or `file` (from the configuration, where alone it can be changed).
    package var source: String
    /// Whether it has a session now; nil if bondd does not answer.
    package var isUp: Bool?
    /// When it enrolled, as Unix time in seconds; nil for a client from the file.
    package var enrolledAt: Int?
    /// When its session was last up, as Unix time in seconds; nil if never.
    package var lastSeenAt: Int?
    /// Bytes of datagrams sent to it since it enrolled, over all paths.
    package var sentBytes: Int
    /// Bytes of datagrams received from it.
    package var receivedBytes: Int
    /// The networks behind it that are routed to it, `NETWORK/PREFIX`; nil if bondd-control does not report them.
    package var networks: [String]?

    /// The source of its paths' datagrams, `ADDRESS:PORT`; nil without a session. Added by `bondd clients`,
    /// like the following ones.
    package var remotes: [String]?
    /// The version of its program, if it has a session and reports it.
    package var version: String?
    /// Its paths that have used up their data for the month.
    package var spent: [String]?
    /// The round trip time of its fastest path that is up, in milliseconds.
    package var rtt: Double?
    /// Seconds since the handshake that produced the keys in use.
    package var handshakeAge: Double?

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
    package init(
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
    /// Adds the data from bondd about its session.
    package mutating func add(_ session: SessionStatus) {
        isUp = session.state == "up"
        remotes = session.paths.map(\.remote).filter { !$0.isEmpty }
        version = session.version
        spent = session.paths.filter { $0.state == "spent" }.map(\.name)
        rtt = session.paths.filter { $0.state == "up" && $0.rtt > 0 }.map(\.rtt).min()
        handshakeAge = session.rekeyAge
    }
}

/// An open invitation in the output of `bondd clients`, without its secret.
package struct InvitationStatus: Hashable, Sendable, Codable {
    /// The name that the client will have.
    package var name: String
    /// How many more clients may enrol with it.
    package var usesLeft: Int
    /// When it expires, as Unix time in seconds.
    package var expiresAt: Int

    private enum CodingKeys: String, CodingKey {
        case name
        case usesLeft = "uses_left"
        case expiresAt = "expires_at"
    }

    /// An invitation.
    package init(name: String, usesLeft: Int, expiresAt: Int) {
        self.name = name
        self.usesLeft = usesLeft
        self.expiresAt = expiresAt
    }
}
