import Packet

/// Whether a receiver still is at a path's address, as unpredictable tokens show that only a receiver there can echo.
///
/// ACKs are the peer's word, and may come by another path. A client that has proven an address and then loses it, or shares
/// it, could acknowledge what it never received, and have us flood whoever is there now (RFC 9000 sections 21.1 and 21.4). So data is
/// sent on credit: from the departure of the last token that was echoed, at most `limit` bytes.
///
/// The credit is at least 4 MB. It follows what the path takes, or a long or fast path would stop for it: twice what left
/// between a token and its echo, and what leaves in 50 ms, as either host may be busy for a moment.
public struct PeerPresence: ~Copyable {
    /// The least credit, in bytes of data.
    public static let leastCredit: UInt64 = 4 << 20
    /// With less data than this since the last echo, nothing is asked: an idle path costs nothing.
    public static let freeBytes: UInt64 = 32 * 1024
    /// With less than this, no silence closes the path.
    private static let harmlessBytes: UInt64 = 64 * 1024
    /// The shortest time between two tokens that the clock alone asks for.
    private static let shortestInterval = Interval.milliseconds(50)
    /// The longest, where nobody answers.
    private static let longestInterval = Interval.seconds(1)
    /// How long the receiver's host may be busy before the path stops.
    private static let hiccup = Interval.milliseconds(50)
    /// How long credit that is used up may stay so before the path is closed; until then it is a full window.
    private static let shortestPause = Interval.milliseconds(250)
    /// Tokens sent for one credit, whatever the clock says.
    private static let tokensPerCredit: UInt64 = 8
    /// The longest round trip that the credit follows in full: a peer that delays its echoes seems to be further away.
    private static let longestTrip = Interval.milliseconds(1500)
    /// So many tokens at least have to be out before a silence means something: of 8, one is echoed in 99.5 % of the cases where
    /// 30 % are lost on either way.
    private static let fewestTokens = 8
    /// How long no token may be echoed: three round trips, within these bounds.
    private static let shortestPatience = Interval.seconds(2)
    private static let longestPatience = Interval.seconds(5)
    /// How many tokens are remembered: 16 for a round trip by the clock, and 8 for the credit.
    private static let memory = 32

    private struct Question {
        var token: UInt64 = 0
        var sentAt = Instant.zero
        /// The bytes of data that had left before.
        var position: UInt64 = 0
    }

    /// Whether the peer seems to be gone, so that nothing but tokens and probes may go there.
    public private(set) var isClosed = false
    /// The bytes of data that may leave without an echo.
    public private(set) var limit = Self.leastCredit

    /// Bytes of data that have left.
    private var sent: UInt64 = 0
    private let pinned = Pinned()
    /// Those of them that had left before the newest token that was echoed.
    private var proven: UInt64 = 0
    /// When that token left.
    private var provenAt = Instant.zero
    /// How fast data has left between tokens that were echoed, in bytes a second, smoothed.
    private var rate = 0.0
    /// Memory of its own: of an InlineArray, a look at one question may copy all.
    private let questions: UnsafeMutablePointer<Question>
    private var count = 0
    /// When the last token left, and the bytes of data before it.
    private var askedAt = Instant.zero
    private var askedAtPosition: UInt64 = 0
    /// When the oldest token left of those after the newest that was echoed; nil when none is out.
    private var unansweredSince: Instant?
    /// How many have left since.
    private var unheard = 0
    /// When a token was last echoed.
    private var heardAt = Instant.zero

    /// A peer that has just been proven to be there.
    public init() {
        questions = .allocate(capacity: Self.memory)
        questions.initialize(repeating: Question(), count: Self.memory)
    }

    deinit { questions.deallocate() }

    /// Bytes of data since the newest token that was echoed.
    public var unproven: UInt64 { sent - proven }

    /// Whether another datagram may leave.
    public var hasCredit: Bool { !isClosed && unproven < limit }

    /// Books a datagram of data.
    public mutating func book(_ bytes: Int) { sent += UInt64(bytes) }

    /// When the next token is to leave; `.never` when none is.
    public func due(_ rtt: borrowing RoundTripTime) -> Instant {
        let interval = max(Self.shortestInterval, rtt.smoothed / 16)
        if !hasCredit {
            // Nothing may leave until one is echoed, and perhaps none ever will be.
            let silence = unansweredSince.map { askedAt - $0 } ?? .zero
            return askedAt + min(max(interval, silence / 8), Self.longestInterval)
        }
        guard unproven >= Self.freeBytes else { return .never }
        // After the last data a token may be lost like any other.
        guard sent > askedAtPosition else {
            return unansweredSince == nil ? .never : askedAt + interval + rtt.smoothed * 5 / 4
        }
        return sent - askedAtPosition >= limit / Self.tokensPerCredit ? .zero : askedAt + interval
    }

    /// Books a token that leaves now.
    public mutating func ask(_ token: UInt64, now: Instant) {
        if count == Self.memory { forget(1) }
        questions[count] = Question(token: token, sentAt: now, position: sent)
        count += 1
        unheard += 1
        askedAt = now
        askedAtPosition = sent
        unansweredSince = unansweredSince ?? now
    }

    /// A token came back from the path's address.
    /// - Returns: whether it was one of ours.
    public mutating func hear(_ token: UInt64, now: Instant) -> Bool {
        for i in 0..<count where questions[i].token == token {
            let question = questions[i]
            let trip = max(now - question.sentAt, .milliseconds(1))
            let share = min(Self.longestTrip.seconds / trip.seconds, 1)
            let flight = Double(sent - question.position) * share
            let span = question.sentAt - provenAt
            if span > .zero {
                rate += (Double(question.position - proven) / span.seconds - rate) / 8
            }
            limit = max(Self.leastCredit, UInt64(saturating: max(2 * flight, rate * Self.hiccup.seconds)))
            (proven, provenAt) = (question.position, question.sentAt)
            forget(i + 1)
            unansweredSince = count > 0 ? questions[0].sentAt : nil
            unheard = count
            heardAt = now
            isClosed = false
            return true
        }
        return false
    }

    /// Gives the silence so far no weight: another reason for it has just ended. The credit stays as it is.
    public mutating func restartPatience(now: Instant) {
        if unansweredSince != nil { unansweredSince = now }
    }

    /// Closes the path when nothing was echoed for too long, which is sooner when the credit is used up.
    /// - Returns: whether it has just been closed.
    public mutating func closeIfSilent(_ rtt: borrowing RoundTripTime, now: Instant) -> Bool {
        guard closesAt(rtt) <= now else { return false }
        isClosed = true
        return true
    }

    /// When that is, unless a token is echoed before; `.never` where nothing is wrong, or it is closed already.
    public func closesAt(_ rtt: borrowing RoundTripTime) -> Instant {
        guard !isClosed, unproven >= Self.harmlessBytes, let unansweredSince else { return .never }
        guard unproven >= limit else {
            if unheard < Self.fewestTokens { return .never }
            return unansweredSince + min(max(rtt.smoothed * 3, Self.shortestPatience), Self.longestPatience)
        }
        return max(heardAt, unansweredSince) + max(rtt.answerTimeout, Self.shortestPause)
    }

    private mutating func forget(_ first: Int) {
        for i in first..<count { questions[i - first] = questions[i] }
        count -= first
    }
}
