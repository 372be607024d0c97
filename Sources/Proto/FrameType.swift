/// The first byte of a frame.
public enum FrameType: UInt8, Sendable {
    /// Room taken and skipped, as in a probe of the path's MTU.
    case padding = 0
    /// What has arrived on a path.
    case ack = 1
    /// Asks for a PONG with the same token.
    case ping = 2
    /// Answers a PING on the path that it came on.
    case pong = 3
    /// Asks whoever receives at a new address to prove it.
    case pathChallenge = 4
    /// Answers a PATH_CHALLENGE on the path that it came on.
    case pathResponse = 5
    /// What one end says of a path: its role, its cap, and whether it is down.
    case pathStatus = 6
    /// The addresses, MTU, DNS servers and routes that the server gives a client.
    case assign = 7
    /// The session is over.
    case close = 8
    /// How the peer should send: one of the scheduler's modes, and over how many paths.
    case mode = 9
    /// Asks for an ASSIGN.
    case assignRequest = 10
    /// A sum of data payloads, to put a lost one together from.
    case repair = 11
    /// Whoever has an invitation says which key is to be a client's.
    case enrol = 12
    /// What became of an ENROL.
    case enrolled = 13
    /// The preshared key that the server gives a client.
    case secret = 14
    /// The client has that key on its disk.
    case secretKept = 15
    /// A client wants test packets, and a count of those that it sent.
    case bench = 16
    /// How many test packets have come out.
    case benchCount = 17
    /// Proof that the sender of an ENROL owns the key in it.
    case enrolProof = 18
}
