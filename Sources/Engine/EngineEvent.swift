import Packet
import Proto
import Scheduler

/// What the daemon should know or act upon. Never one a packet.
public enum EngineEvent: Sendable {
    /// A session with the peer of that name is up; `continues`: only its keys are new.
    case established(peer: String, continues: Bool)
    /// The session with the peer of that name is gone.
    case closed(peer: String)
    /// Client: the server has told what the tunnel looks like.
    case assigned(AssignFrame)
    /// A path of the session changed state.
    case pathChanged(peer: String, pathID: UInt16, state: PathLiveness.State)
    /// The peer's path has a new remote address, proven by a challenge.
    case pathMoved(peer: String, pathID: UInt16, remote: Endpoint)
    /// Networks along the path rewrite ECN codepoints: what arrives marked is not taken for a sign of congestion. At most every
    /// ten minutes.
    case marksIgnored(peer: String, pathID: UInt16)
    /// Networks along the path drop what has an ECN codepoint: nothing leaves with one. At most every ten minutes.
    case marksStopped(peer: String, pathID: UInt16)
    /// Packets of up to so many bytes fit all paths that are used.
    case reachChanged(peer: String, packet: Int)
    /// Client: nobody has answered the handshake for 90 s; it goes on.
    case unanswered
    /// Client: a peer answered that it does not speak our version of the protocol.
    case versionRefused
    /// Server: the peer of that name wants a session with another cipher suite. At most once a minute.
    case suiteMismatch(peer: String)
    /// Client: the server has our handshake and uses another cipher suite. At most once a minute.
    case suiteRefused
    /// Client: the server has our handshake and does not know our key (any more). At most once a minute.
    case keyRefused
    /// Client: the server has our handshake and not the generation of the preshared key that it gave us. At most once a minute.
    case secretRefused
    /// Client: the server gives a preshared key. To be kept, and then to be told to `Engine.keep`; comes again until it is.
    case secret(ClientSecret)
    /// Server: the holder of the invitation of that number wants this key to be a client's. Comes again until it is settled, at
    /// most ten times a second.
    case enrolment(invitation: Int, publicKey: PublicKey, host: String)
    /// Client: what became of its enrolment. When the server could not store it, the Engine asks again.
    case enrolled(EnrolOutcome)
}
