import Packet
import Proto
import Scheduler

/// One path of a session, as this end sees it: where its datagrams go, its measured properties, and its data
/// in flight.
struct Path: ~Copyable {
    let id: UInt16
    /// The client's name for it; empty if the server was not told.
    var name = ""
    var role: PathRole
    /// Where datagrams go; `nil` while this end cannot send on the path.
    var link: Link?
    /// Client: that link and those to the server's other endpoints.
    var race = LinkRace()
    /// Whether it has used up its data for the month; on a server, as reported by the client.
    var isSpent = false
    /// Client: the link that has just been shown to work while the path is not up, for the Engine to settle
    /// on.
    var proven: Link?
    /// When a link was last shown to work.
    var provenAt = Instant.zero
    /// Whether the peer has been proven to be at `link`. Until then only a few bytes may go there, and no
    /// data.
    var isValidated: Bool
    /// Bytes that may still be sent to the address that `challenge` is to prove: three times the amount
    /// received from it (RFC 9000 section 8.1).
    var allowance = 0
    /// Server: whether the peer is still there.
    var presence = PeerPresence()
    /// Number of packet numbers skipped by the peer, as it reports.
    var skippedByPeer: UInt64 = 0
    /// A new address of the peer whose proof is pending.
    var challenge: Challenge?

    var liveness: PathLiveness
    /// Its use for sending now, set by `Session.sortPaths`.
    var use = Use.none
    /// Transit time to the peer, relative to the session's other active and far paths; `nil` for all others.
    var transit: Interval?
    /// `transit` without queue and jitter.
    var shortestTransit: Interval?
    /// Whether the peer's data may arrive by it.
    var bringsData = false
    var rtt = RoundTripTime()
    /// From us to the peer.
    var delay = DelayModel()
    /// From the peer to us.
    var inboundDelay = DelayModel()
    var inboundPeak = WindowedExtremum(window: .seconds(1), keeps: .maximum)
    var rate = RateModel()
    /// Maximum size of datagrams to the peer.
    var mtu: PathMTU
    var marks = PathMarks()
    var pacer = Pacer()

    /// Packets scheduled on this path but not sent yet, in the order of their sequences.
    var queue = SlotQueue(bound: 8192)
    /// Packets that leave before the queue: those of sparse flows, and retransmissions.
    var urgent = SlotQueue(bound: 4096)
    /// Bytes of urgent packets that may still leave before the queue.
    var urgentCredit = 0
    var sent = SentPackets()
    var received = ReceivedPackets()
    /// Copies of its ACKs that this end sends by a faster path.
    var ackCopies = AckCopies()
    /// Copies of ACKs that the peer sends by a faster path.
    var earlyReports = EarlyReports()
    /// The highest packet number acknowledged by an ACK on the path itself; `nil` before the first.
    var highestDirect: UInt64?
    var replay = ReplayWindow()
    /// Datagrams carried in the busier direction when the current keys were introduced.
    var packetsBeforeKeys: UInt64 = 0

    /// Whether the peer reports that the path cannot be used.
    var isDownAtPeer = false
    /// When the peer last took it out of use.
    var dismissedAt = Instant.zero
    /// Sequence below which the peer sends nothing more on this path, except for packets sent twice.
    var passed: UInt64 = 0
    /// When datagrams last arrived out of order on the path; for a while after that they do not prove losses.
    var lastReordered = Instant.zero

    var control = ControlNeeds()
    /// Number of PINGs that have asked for the fate of the last data sent.
    var tailProbes = 0
    /// When data last left.
    var lastData = Instant.zero
    /// When the peer last sent data on it.
    var lastDataHeard = Instant.zero
    /// When the path could last have sent data but had none.
    var starvedAt = Instant.zero
    /// When a substantial amount was last in flight on it.
    var busyAt = Instant.zero
    var lastSent = Instant.zero
    var lastHeard = Instant.zero
    /// When the peer last reported, by another path, that it hears this one.
    var confirmedAt = Instant.zero
    /// When the first PING left since anything was last heard.
    var askedAt = Instant.zero
    var nextIdleProbe = Instant.zero
    var lastIdleProbe = Instant.zero
    /// Bytes that the session had carried by then.
    var carriedAtProbe: UInt64 = 0
    var lossRatio = 0.0
    /// The loss ratio of datagrams sent while there was no standing queue: those are not lost to congestion.
    var randomLoss = 0.0
    /// How late, in nanoseconds, reordered datagrams arrived in the last minutes.
    var reordering = WindowedExtremum(window: .seconds(120), keeps: .maximum)
    var counters = PathCounters()

    /// - Parameter mtu: the interface's MTU in bytes.
    init(id: UInt16, role: PathRole, link: Link?, isValidated: Bool, mtu: Int, now: Instant) {
        self.mtu = PathMTU(ceiling: Self.datagram(mtu, link))
        self.id = id
        self.role = role
        self.link = link
        self.isValidated = isValidated
        liveness = PathLiveness(now: now)
        lastHeard = now
    }

    /// How much later than others a datagram may arrive without counting as lost.
    var reorderingWindow: Interval {
        let seen = Interval(nanoseconds: reordering.value ?? 0)
        return max(seen * 5 / 4, delay.jitter * 2, .milliseconds(5))
    }

    /// Whether so much is in flight that only an ACK, or an echo from the peer, makes room for more.
    var isWindowFull: Bool {
        sent.bytesInFlight > rate.inflightLimit(rtt) || sent.isFull || !presence.hasCredit
    }

    /// How long a loss waits for its repair: the report takes half the round trip of the path that it comes by,
    /// the retransmission half that of the fastest path, and an ACK may wait 10 ms.
    static func repairTime(reportedBy trip: Interval, fastest: Interval) -> Interval {
        (max(trip, fastest) + fastest) / 2 + .milliseconds(10)
    }

    /// Whether data may be sent on it now.
    var carriesData: Bool {
        liveness.isUp && isValidated && link != nil && !isDownAtPeer && role != .never
    }

    /// Whether the peer can send data on it, as far as we know.
    func mayBringData(now: Instant) -> Bool {
        received.state != nil && !isDownAtPeer && liveness.state != .down && role != .never
            && now - lastHeard < .seconds(2)
    }

    /// Whether it keeps the order of datagrams: then the highest sequence proves that lower ones were lost.
    func keepsOrder(now: Instant) -> Bool { lastReordered == .zero || now - lastReordered > .seconds(10) }

    /// Number of datagrams after which a path is known to be lossless or not; until then it may be lossy.
    static var trial: UInt64 { 1000 }

    /// When a PING asks for the fate of the last data, so that a lossy path neither hides the loss of the
    /// last datagrams nor seems dead if an ACK is lost (a tail loss probe, RFC 8985 section 7). Up to three
    /// times, because a PING may be lost, too.
    mutating func tailProbeDue() -> Instant {
        let mayLose = lossRatio > 0.001 || sent.next < Self.trial
        guard mayLose, tailProbes < 3, liveness.isUp, sent.oldestUnanswered() != nil else {
            return .never
        }
        return lastData + .milliseconds(6) + .milliseconds(10) * Int64(tailProbes)
    }

    /// Releases everything that it holds.
    mutating func removeAll(pool: inout PacketPool) {
        sent.removeAll(pool: &pool)
        queue.removeAll(pool: &pool)
        urgent.removeAll(pool: &pool)
    }
}

/// A new remote address of a path, and the token sent there to prove it.
struct Challenge {
    let link: Link
    let token: UInt64
    var sentAt = Instant.zero
    var tries = 0
}

/// Control frames that a path has to send.
struct ControlNeeds {
    /// Whether to send a PING at once.
    var ping = false
    /// PINGs to answer, newest last.
    var pongs = TokenList()
    /// Challenges to answer.
    var responses = TokenList()

    /// Whether to send the last message on a path that is taken out of use.
    var farewell = false

    /// Whether there is nothing to send.
    var isEmpty: Bool { !ping && !farewell && pongs.isEmpty && responses.isEmpty }
}

/// Up to four tokens waiting to be echoed; a fifth displaces the first.
struct TokenList {
    private var tokens = InlineArray<4, UInt64>(repeating: 0)
    private var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ token: UInt64) {
        if count == 4 { _ = removeFirst() }
        tokens[count] = token
        count += 1
    }

    mutating func removeFirst() -> UInt64? {
        guard count > 0 else { return nil }
        let first = tokens[0]
        for i in 1..<4 { tokens[i - 1] = tokens[i] }
        count -= 1
        return first
    }
}

/// Totals of a path.
public struct PathCounters: Sendable {
    /// UDP payload bytes sent.
    public var sentBytes: UInt64 = 0
    /// UDP payload bytes received, authentic and new.
    public var receivedBytes: UInt64 = 0
    /// Datagrams sent.
    public var sentPackets: UInt64 = 0
    /// Datagrams received, authentic and new.
    public var receivedPackets: UInt64 = 0
    /// Datagrams sent that are known to be lost.
    public var lost: UInt64 = 0
    /// Packets retransmitted on another path because this one fell silent.
    public var repaired: UInt64 = 0
}
