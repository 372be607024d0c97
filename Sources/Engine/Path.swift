import Packet
import Proto
import Scheduler

/// One path of a session, as this end sees it: where its datagrams go, what is known of it, what is under way on it.
struct Path: ~Copyable {
    let id: UInt16
    /// What the client calls it; empty while the server was not told.
    var name = ""
    var role: PathRole
    /// Where datagrams go; nil as long as this end can't send on it.
    var link: Link?
    /// Client: that and the links to the server's other endpoints.
    var race = LinkRace()
    /// Whether it has used up its data for the month; on a server as the client says.
    var isSpent = false
    /// Client: the link that has just been shown to work while the path is not up, for the Engine to settle on.
    var proven: Link?
    /// When one last was.
    var provenAt = Instant.zero
    /// Whether the peer was proven to be at `link`. Until then only a little may go there, and no data.
    var isValidated: Bool
    /// How many more bytes may go to the address that `challenge` is to prove: three times what came from it (RFC 9000
    /// section 8.1).
    var allowance = 0
    /// Server: whether the peer still is there.
    var presence = PeerPresence()
    /// How many packet numbers the peer has skipped, as it says.
    var skippedByPeer: UInt64 = 0
    /// A new address of the peer that waits for its proof.
    var challenge: Challenge?

    var liveness: PathLiveness
    /// What it is to what is sent now, by `Session.sortPaths`.
    var use = Use.none
    /// How long packets are under way to the peer, relative to the session's other active and far paths; nil of all others.
    var transit: Interval?
    /// Whether the peer's data may come by it.
    var bringsData = false
    var rtt = RoundTripTime()
    /// From us to the peer.
    var delay = DelayModel()
    /// From the peer to us.
    var inboundDelay = DelayModel()
    var inboundPeak = WindowedExtremum(window: .seconds(1), keeps: .maximum)
    var rate = RateModel()
    /// How large datagrams to the peer may be.
    var mtu: PathMTU
    var marks = PathMarks()
    var pacer = Pacer()

    /// Chosen for this path, not sent yet; in the order of their sequences.
    var queue = SlotQueue(bound: 8192)
    /// What goes before the queue: packets of flows that send little, and what was lost.
    var urgent = SlotQueue(bound: 4096)
    /// How many bytes of that may still go before what waits in the queue.
    var urgentCredit = 0
    var sent = SentPackets()
    var received = ReceivedPackets()
    var replay = ReplayWindow()
    /// How many datagrams it had carried in its busier direction when the present keys came.
    var packetsBeforeKeys: UInt64 = 0

    /// Whether the peer says that the path can't be used.
    var isDownAtPeer = false
    /// When the peer last took it out of use.
    var dismissedAt = Instant.zero
    /// Below this sequence the peer sends nothing more on this path, but for what it sends twice.
    var passed: UInt64 = 0
    /// When datagrams last came out of order on the path; they prove nothing for a while after that.
    var lastReordered = Instant.zero

    var control = ControlNeeds()
    /// How many PINGs have asked for the fate of the last data sent.
    var tailProbes = 0
    /// When data last left.
    var lastData = Instant.zero
    /// When the peer last sent data on it.
    var lastDataHeard = Instant.zero
    /// When the path last could have sent data but had none.
    var starvedAt = Instant.zero
    /// When much was last in flight on it.
    var busyAt = Instant.zero
    var lastSent = Instant.zero
    var lastHeard = Instant.zero
    /// When the peer last said, by another path, that it hears this one.
    var confirmedAt = Instant.zero
    /// When the first PING left since something was last heard.
    var askedAt = Instant.zero
    var nextIdleProbe = Instant.zero
    var lastIdleProbe = Instant.zero
    /// What the session had carried by then, in bytes.
    var carriedAtProbe: UInt64 = 0
    var lossRatio = 0.0
    /// The same, of what was sent while no queue stood: what is lost then is not lost to congestion.
    var randomLoss = 0.0
    /// By how much it has put datagrams out of order in the last minutes.
    var reordering = WindowedExtremum(window: .seconds(120), keeps: .maximum)
    var counters = PathCounters()

    /// - Parameter mtu: that of the interface, in bytes.
    init(id: UInt16, role: PathRole, link: Link?, isValidated: Bool, mtu: Int, now: Instant) {
        self.mtu = PathMTU(ceiling: Self.datagram(mtu, link))
        self.id = id
        self.role = role
        self.link = link
        self.isValidated = isValidated
        liveness = PathLiveness(now: now)
        lastHeard = now
    }

    /// How much later than others something may arrive that is not lost.
    var reorderingWindow: Interval {
        let seen = Interval(nanoseconds: reordering.value ?? 0)
        return max(seen * 5 / 4, delay.jitter * 2, .milliseconds(5))
    }

    /// Whether so much is in flight that only an ACK, or an echo of the peer's, makes room for more.
    var isWindowFull: Bool {
        sent.bytesInFlight > rate.inflightLimit(rtt) || sent.isFull || !presence.hasCredit
    }

    /// Whether data may go on it now.
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

    /// So many datagrams tell whether a path loses any; until then it may.
    static var trial: UInt64 { 1000 }

    /// When a PING asks what became of the last data, so that a lossy path neither hides the loss of what nothing follows
    /// nor seems dead when an ACK is lost (a tail loss probe, RFC 8985 section 7). Up to three times: a PING may be lost, too.
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

/// A new remote address of a path, and what was sent there to prove it.
struct Challenge {
    let link: Link
    let token: UInt64
    var sentAt = Instant.zero
    var tries = 0
}

/// Which control frames a path has to send.
struct ControlNeeds {
    /// A PING, at once.
    var ping = false
    /// PINGs to answer, newest last.
    var pongs = TokenList()
    /// Challenges to answer.
    var responses = TokenList()

    /// The last word on a path that is taken out of use.
    var farewell = false

    /// Whether there is nothing to send.
    var isEmpty: Bool { !ping && !farewell && pongs.isEmpty && responses.isEmpty }
}

/// Up to four tokens that wait to be echoed; a fifth pushes the first out.
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

/// What a path has carried.
public struct PathCounters: Sendable {
    /// UDP payload bytes sent.
    public var sentBytes: UInt64 = 0
    /// UDP payload bytes received, authentic and new.
    public var receivedBytes: UInt64 = 0
    /// Datagrams sent.
    public var sentPackets: UInt64 = 0
    /// Datagrams received, authentic and new.
    public var receivedPackets: UInt64 = 0
    /// Datagrams sent and known to be lost.
    public var lost: UInt64 = 0
    /// Packets that were sent again elsewhere because this path fell silent.
    public var repaired: UInt64 = 0
}
