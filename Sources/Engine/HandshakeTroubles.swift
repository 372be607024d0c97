import Packet

/// Handshakes that led nowhere in the last minute, for the operator of this end. Strangers are told nothing of it.
public struct HandshakeTroubles: Sendable {
    /// Server: inits in order whose key is no client's.
    public var unknownKeys = 0
    /// Server: inits that were made for another server key, or are noise.
    public var wrongServerKeys = 0
    /// Server: inits of clients with another cipher suite.
    public var otherSuites = 0
    /// Client: answers to its own inits that did not open: the preshared keys differ.
    public var unreadable = 0
    /// Server: clients that get no further, or whose sessions push each other out; at most `mostPeers`.
    public var peers: [Peer] = []

    /// The most peers that are named.
    public static let mostPeers = 8
    /// Answers to a client's inits may get lost once; one that is not taken twice in a minute is worth a word.
    public static let fewestUnconfirmed = 2
    /// A host that is started again takes over once or twice; three times in a minute are two hosts.
    public static let fewestTakeovers = 3

    /// One client's.
    public struct Peer: Sendable {
        /// Its name.
        public var name: String
        /// Inits that were answered and not followed by a packet under the keys agreed on.
        public var unconfirmed: Int
        /// New sessions that replaced one that was alive at another address.
        public var takeovers: Int
        /// The two addresses of the last of those.
        public var rivals: (Endpoint, Endpoint)?

        /// A client's troubles.
        public init(name: String, unconfirmed: Int, takeovers: Int, rivals: (Endpoint, Endpoint)? = nil) {
            (self.name, self.unconfirmed) = (name, unconfirmed)
            (self.takeovers, self.rivals) = (takeovers, rivals)
        }
    }

    /// None.
    public init() {}
}

/// An Engine's counts behind `HandshakeTroubles`.
struct HandshakeRecord: Sendable {
    var unknownKeys = RecentCount()
    var wrongServerKeys = RecentCount()
    var otherSuites = RecentCount()
    var unreadable = RecentCount()
}

/// Server: which hosts a peer's sessions come from, as far as they push each other out.
struct SessionRivalry: Sendable {
    private(set) var takeovers = RecentCount()
    private(set) var rivals: (Endpoint, Endpoint)?

    /// One that was heard of so lately is alive: its host sends keep-alives, and has not been started again.
    static let life = Interval.seconds(10)

    /// A session from `new` has replaced one that was last heard of at `heard`, from `old`.
    mutating func replaced(_ old: [Endpoint], lastHeard heard: Instant, by new: Endpoint?, now: Instant) {
        guard now - heard < Self.life, let new, let first = old.first, !old.contains(new) else { return }
        takeovers.note(now)
        rivals = (first, new)
    }
}

extension Engine {
    /// Handshakes that led nowhere in the last minute.
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
    /// Where its paths' datagrams go.
    var remotes: [Endpoint] { (0..<paths.count).compactMap { paths[$0].pointee.link?.remote } }
}
