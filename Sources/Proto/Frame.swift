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
    /// The server's settings for a client.
    case assign(AssignFrame)
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
}
