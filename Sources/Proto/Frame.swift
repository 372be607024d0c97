/// One frame of a control payload, as `FrameReader` returns it. Padding is never returned.
public enum Frame: Equatable, Sendable {
    /// Acknowledges datagrams of a path.
    case ack(AckFrame)
    /// Asks for a PONG with the same token.
    case ping(UInt64)
    /// The token of a PING.
    case pong(UInt64)
    /// Asks for a PATH_RESPONSE with the same token.
    case pathChallenge(UInt64)
    /// The token of a PATH_CHALLENGE.
    case pathResponse(UInt64)
    /// The peer's settings and state of a path, whose name is the reader's `tail` until it reads on.
    case pathStatus(PathStatusFrame)
    /// The server's settings for a client, which are the reader's `assignment` until it reads on: their lists
    /// would make every frame a value with references, copied and destroyed as such.
    case assign
    /// Asks for an ASSIGN.
    case assignRequest
    /// Closes the session, with a reason.
    case close(UInt8)
    /// The mode in which the peer wants to receive.
    case mode(ModeFrame)
    /// Asks for test packets and a BENCH_COUNT.
    case bench(BenchFrame)
    /// The number of test bytes received by the peer.
    case benchCount(BenchCountFrame)
    /// The key of a future client; the host's name is the reader's `tail` until it reads on.
    case enrol(EnrolFrame)
    /// The outcome of an ENROL.
    case enrolled(EnrolledFrame)
    /// Proof that the key of the preceding ENROL is the sender's.
    case enrolProof(EnrolProof)
    /// The preshared key of the newest generation.
    case secret(SecretFrame)
    /// The generation of the preshared key that the client has stored.
    case secretKept(UInt32)
    /// A repair symbol, whose bytes are the reader's `tail` until it reads on.
    case repair(RepairFrame)
    /// The wish of that revision for how to send, which is the reader's `shaping` until it reads on, or its
    /// acknowledgement if that is nil.
    case shaping(UInt8)
}

/// The first byte of a frame.
public enum FrameType: UInt8, Sendable {
    /// Padding, which is skipped, as in a probe of the path's MTU.
    case padding = 0
    /// Acknowledges datagrams of a path.
    case ack = 1
    /// Asks for a PONG with the same token.
    case ping = 2
    /// Answers a PING on the path that it came on.
    case pong = 3
    /// Asks a peer that receives at a new address to prove it.
    case pathChallenge = 4
    /// Answers a PATH_CHALLENGE on the path that it came on.
    case pathResponse = 5
    /// One end's settings and state of a path: its role, its cap, and whether it is down.
    case pathStatus = 6
    /// The addresses, MTU, DNS servers and routes that the server assigns to a client.
    case assign = 7
    /// The session is over.
    case close = 8
    /// The mode in which the peer should send, and over how many paths.
    case mode = 9
    /// Asks for an ASSIGN.
    case assignRequest = 10
    /// A linear combination of data payloads, from which a lost one can be recovered.
    case repair = 11
    /// The holder of an invitation announces the key of a future client.
    case enrol = 12
    /// The outcome of an ENROL.
    case enrolled = 13
    /// The preshared key that the server gives a client.
    case secret = 14
    /// The client has stored that key.
    case secretKept = 15
    /// A client requests test packets, and a count of those it sent.
    case bench = 16
    /// The number of test bytes received.
    case benchCount = 17
    /// Proof that the sender of an ENROL owns the key in it.
    case enrolProof = 18
    /// The rate and the classes in which one end wants the other to send, or the acknowledgement of that.
    case shaping = 24
}
