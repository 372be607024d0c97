import Packet

/// Handshakes that failed in the last minute, for the operator of this end. Strangers are told nothing of it.
public struct HandshakeTroubles: Sendable {
    /// Server: valid inits whose key is not a client's.
    public var unknownKeys = 0
    /// Server: inits that were made for another server key, or are noise.
    public var wrongServerKeys = 0
    /// Server: inits of clients with another cipher suite.
    public var otherSuites = 0
    /// Client: answers to its own inits that did not open, because the preshared keys differ.
    public var unreadable = 0
    /// Server: clients whose handshakes never complete, or whose sessions displace each other; at most
    /// `mostPeers`.
    public var peers: [Peer] = []

    /// Maximum number of peers that are listed.
    public static let mostPeers = 8
    /// An answer to a client's init may get lost once; two answers without effect within a minute are
    /// reported.
    public static let fewestUnconfirmed = 2
    /// A host that restarts takes over once or twice; three times within a minute indicate two hosts.
    public static let fewestTakeovers = 3

    /// One client's troubles.
    public struct Peer: Sendable {
        /// Its name.
        public var name: String
        /// Inits that were answered without a packet following under the agreed keys.
        public var unconfirmed: Int
        /// New sessions that replaced a live one at another address.
        public var takeovers: Int
        /// The two addresses of the last takeover.
        public var rivals: (Endpoint, Endpoint)?

        /// A client's troubles.
        public init(name: String, unconfirmed: Int, takeovers: Int, rivals: (Endpoint, Endpoint)? = nil) {
            (self.name, self.unconfirmed) = (name, unconfirmed)
            (self.takeovers, self.rivals) = (takeovers, rivals)
        }
    }

    /// No troubles.
    public init() {}
}

/// The counts behind an Engine's `HandshakeTroubles`.
struct HandshakeRecord: Sendable {
    var unknownKeys = RecentCount()
    var wrongServerKeys = RecentCount()
    var otherSuites = RecentCount()
    var unreadable = RecentCount()
}

/// Server: the hosts of a peer's sessions, if these displace each other.
struct SessionRivalry: Sendable {
    private(set) var takeovers = RecentCount()
    private(set) var rivals: (Endpoint, Endpoint)?

    /// A session heard from within this time is alive: its host sends keep-alives and has not been restarted.
    static let life = Interval.seconds(10)

    /// A session from `new` has replaced one from `old`, which was last heard at `heard`.
    mutating func replaced(_ old: [Endpoint], lastHeard heard: Instant, by new: Endpoint?, now: Instant) {
        guard now - heard < Self.life, let new, let first = old.first, !old.contains(new) else { return }
        takeovers.note(now)
        rivals = (first, new)
    }
}

extension Engine {
    /// Handshakes that failed in the last minute.
    public func handshakeTroubles(now: Instant) -> HandshakeTroubles {
        var troubles = HandshakeTroubles()
        guard role == .server else {
            troubles.unreadable = handshakeRecord.unreadable.count(now)
            return troubles
        }
        troubles.unknownKeys = handshakeRecord.unknownKeys.count(now)
        troubles.wrongServerKeys = handshakeRecord.wrongServerKeys.count(now)
        troubles.otherSuites = handshakeRecord.otherSuites.count(now)
        for peer in peers where !peer.configuration.isInvitation {
            let unconfirmed = peer.unconfirmed.count(now)
            let takeovers = peer.rivalry.takeovers.count(now)
            guard
                unconfirmed >= HandshakeTroubles.fewestUnconfirmed
                    || takeovers >= HandshakeTroubles.fewestTakeovers
            else { continue }
            troubles.peers.append(
                .init(
                    name: peer.configuration.name, unconfirmed: unconfirmed, takeovers: takeovers,
                    rivals: peer.rivalry.rivals))
            if troubles.peers.count == HandshakeTroubles.mostPeers { break }
        }
        return troubles
    }
}

extension Session {
    /// The remote endpoints of its paths.
    var remotes: [Endpoint] { (0..<paths.count).compactMap { paths[$0].pointee.link?.remote } }
}
