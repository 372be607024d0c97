/// A hostile peer's lie. In everything else it speaks the protocol as an honest peer does.
public enum Lie: String, CaseIterable, Sendable {
    /// Acknowledges what has not arrived yet, in step with its own guess of the rate (RFC 9000, section 21.4).
    case optimisticAcks = "optimistic-acks"
    /// Counts bytes and packets a factor too high, growing with each ACK.
    case scaledCounts = "scaled-counts"
    /// Receive times that drift, jump and stretch while all else in the ACK is true.
    case driftingTimes = "drifting-times"
    /// Packet numbers that were never sent, as the highest and in the map.
    case unsentAcks = "unsent-acks"
    /// Datagrams full of ACKs, in any order, with any map below the highest that arrived.
    case ackFlood = "ack-flood"
    /// Fifteen repair symbols over the same sixteen missing packets, again and again: equations that never have a solution.
    case repairEquations = "repair-equations"
    /// Datagrams full of the shortest repair symbols over the widest windows.
    case repairFlood = "repair-flood"
    /// Paths that are down, up and down again within a datagram, and change role and cap meanwhile.
    case statusFlaps = "status-flaps"
    /// Modes, versions and requests for an assignment that change within a datagram.
    case modeFlaps = "mode-flaps"
    /// Datagrams full of challenges, each of which wants a response.
    case challengeFlood = "challenge-flood"
    /// Responses to challenges that were never sent.
    case responseFlood = "response-flood"
    /// PINGs whose clock leaps, so that delays seem to vary by half a second and by centuries.
    case lyingPings = "lying-pings"
    /// PONGs that answer what was never asked, or long ago: round trips of up to 10 s.
    case lyingPongs = "lying-pongs"
    /// Requests for test packets over any path and time, with receive counts that make the rate absurd.
    case bench = "bench"
    /// Datagrams of every size up to the largest, each of which wants an ACK.
    case mtuProbes = "mtu-probes"
    /// Data whose shim names predecessors anywhere, with any class and flag.
    case shimDistances = "shim-distances"
    /// Data whose sequence leaps forwards and backwards by up to half the window and beyond.
    case sequenceLeaps = "sequence-leaps"
    /// Small packets whose predecessors never come, at a high rate: the receive order fills up.
    case hoarding = "hoarding"
    /// Test packets, which need no inner address, in any order.
    case testPackets = "test-packets"
    /// Inner packets from other sources and with headers that contradict themselves.
    case foreignPackets = "foreign-packets"
    /// A new source address with every few datagrams, all of which answer challenges.
    case roaming = "roaming"
    /// Paths that open and fall silent, under ever higher IDs.
    case pathChurn = "path-churn"
    /// An invitation's session that enrols any key, and tries everything else.
    case enrolment = "enrolment"
    /// Sessions that are closed as soon as they are set up.
    case closeStorm = "close-storm"
    /// A new handshake that continues the session, as often as it can be sent.
    case rekeyStorm = "rekey-storm"
    /// Downloads over two paths; then the first falls silent and is acknowledged over the second: amplification towards an
    /// address where no one listens.
    case silentAddress = "silent-address"
    /// Authentic datagrams whose frames are cut off, unknown, or longer than they say.
    case brokenFrames = "broken-frames"
    /// Datagrams that are truncated, repeated, or have a bit flipped.
    case copies = "copies"
    /// All of the above in turn, chosen at random; the enrolment aside, which takes an invitation.
    case everything = "everything"

    /// Whether it asks for test packets all the time, so that there is something to acknowledge.
    var wantsDownload: Bool {
        switch self {
        case .optimisticAcks, .scaledCounts, .driftingTimes, .unsentAcks, .ackFlood, .statusFlaps,
            .lyingPongs, .bench,
            .silentAddress, .roaming:
            true
        default: false
        }
    }

    /// Whether it lies in its own ACKs, which leave when something arrived and cost no rate of their own.
    var isInAcks: Bool {
        switch self {
        case .optimisticAcks, .scaledCounts, .driftingTimes, .unsentAcks, .silentAddress: true
        default: false
        }
    }
}
