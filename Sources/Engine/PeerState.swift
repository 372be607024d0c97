import Packet
import Proto

/// A peer, and where its sessions stand.
struct PeerState {
    var configuration: EngineConfiguration.Peer
    /// The session that carries its packets.
    var session: UnsafeMutablePointer<Session>?
    /// Server: a session that the client has yet to prove it holds the keys of.
    var pending: UnsafeMutablePointer<Session>?
    /// Server: the newest time stamp of its inits; older ones are replays.
    var lastTimestamp: Timestamp?
    /// Server: the answer to that init, for its copies from other paths.
    var response: [UInt8] = []
    var responsesLeft = 0
    var respondedAt = Instant.zero

    /// Server: what sessions that have ended have carried.
    var usage = PeerUsage()

    /// Server: when the daemon was last told that the peer uses another cipher suite.
    var suiteMismatchAt: Instant?

    /// Server: what its inits may still cost.
    var handshakes = HandshakeBucket()

    /// Server: inits that were answered and came to nothing.
    var unconfirmed = RecentCount()
    /// Server: whether several hosts use its key.
    var rivalry = SessionRivalry()

    init(_ configuration: EngineConfiguration.Peer) { self.configuration = configuration }
}
