import Packet
import Proto
import Scheduler

/// An event that the daemon should know of or act upon. Never one per packet.
public enum EngineEvent: Sendable {
    /// A session with the peer of that name is up; `continues`: only its keys are new.
    case established(peer: String, continues: Bool)
    /// The session with the peer of that name has ended.
    case closed(peer: String)
    /// Client: the server has sent the tunnel's settings.
    case assigned(AssignFrame)
    /// A path of the session changed state.
    case pathChanged(peer: String, pathID: UInt16, state: PathLiveness.State)
    /// The peer's path has a new remote address, proven by a challenge.
    case pathMoved(peer: String, pathID: UInt16, remote: Endpoint)
    /// Networks along the path rewrite ECN codepoints, so marks on received datagrams are not taken as a sign
    /// of congestion. At most once in ten minutes.
    case marksIgnored(peer: String, pathID: UInt16)
    /// Networks along the path drop datagrams with an ECN codepoint, so they leave without one. At most once
    /// in ten minutes.
    case marksStopped(peer: String, pathID: UInt16)
    /// Packets of up to this many bytes fit all paths in use.
    case reachChanged(peer: String, packet: Int)
    /// Client: the handshake has been unanswered for 90 s; the client keeps trying.
    case unanswered
    /// Client: a peer answered that it does not support our version of the protocol.
    case versionRefused
    /// Server: the peer of that name wants a session with another cipher suite. At most once a minute.
    case suiteMismatch(peer: String)
    /// Client: the server received our handshake but uses another cipher suite. At most once a minute.
    case suiteRefused
    /// Client: the server received our handshake but does not know our key (any more). At most once a minute.
    case keyRefused
    /// Client: the server received our handshake but no longer has the generation of the preshared key it
    /// gave us. At most once a minute.
    case secretRefused
    /// Client: the server gives a preshared key. Store it, then pass it to `Engine.keep`; the event is
    /// repeated until then.
    case secret(ClientSecret)
    /// Server: the holder of the invitation of that number wants this key to become a client's. Repeated
    /// until it is settled, at most ten times a second.
    case enrolment(invitation: Int, publicKey: PublicKey, host: String)
    /// Client: the outcome of its enrolment. If the server could not store it, the Engine asks again.
    case enrolled(EnrolOutcome)
}
