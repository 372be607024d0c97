import Packet
import Proto

/// A peer, and the state of its sessions.
struct PeerState {
    var configuration: EngineConfiguration.Peer
    /// The session that carries its packets.
    var session: UnsafeMutablePointer<Session>?
    /// Server: a session whose keys the client has not yet proven to hold.
    var pending: UnsafeMutablePointer<Session>?
    /// Server: the newest time stamp of its inits; older ones are replays.
    var lastTimestamp: Timestamp?
    /// Server: the answer to that init, for its copies that arrive by other paths.
    var response: [UInt8] = []
    var responsesLeft = 0
    var respondedAt = Instant.zero

    /// Server: totals of sessions that have ended.
    var usage = PeerUsage()

    /// Server: when the daemon was last told that the peer uses another cipher suite.
    var suiteMismatchAt: Instant?

    /// Server: the peer's handshake limit.
    var handshakes = HandshakeBucket()

    /// Server: inits that were answered without effect.
    var unconfirmed = RecentCount()
    /// Server: whether several hosts use its key.
    var rivalry = SessionRivalry()

    init(_ configuration: EngineConfiguration.Peer) { self.configuration = configuration }
}
