/// One frame of a control payload, as `FrameReader` returns it. Padding is never returned.
public enum Frame: Equatable, Sendable {
    /// What has arrived on a path.
    case ack(AckFrame)
    /// Asks for a PONG with the same token.
    case ping(UInt64)
    /// The token of a PING.
    case pong(UInt64)
    /// Asks for a PATH_RESPONSE with the same token.
    case pathChallenge(UInt64)
    /// The token of a PATH_CHALLENGE.
    case pathResponse(UInt64)
    /// What the peer says of a path, whose name is the reader's `tail` until it reads on.
    case pathStatus(PathStatusFrame)
    /// What the server gives a client.
    case assign(AssignFrame)
    /// Asks for an ASSIGN.
    case assignRequest
    /// The session is over, and why.
    case close(UInt8)
    /// How the peer wants to be sent to.
    case mode(ModeFrame)
    /// Asks for test packets and a BENCH_COUNT.
    case bench(BenchFrame)
    /// The test packets that came out at the peer.
    case benchCount(BenchCountFrame)
    /// A key that is to be a client's; the host's name is the reader's `tail` until it reads on.
    case enrol(EnrolFrame)
    /// What became of an ENROL.
    case enrolled(EnrolledFrame)
    /// Proof that the key of the ENROL before it is the sender's.
    case enrolProof(EnrolProof)
    /// The preshared key of the newest generation.
    case secret(SecretFrame)
    /// The generation of the preshared key that the client has on its disk.
    case secretKept(UInt32)
    /// A repair symbol, whose bytes are the reader's `tail` until it reads on.
    case repair(RepairFrame)
}
