import Packet

/// Whether a receiver is still at a path's address, shown by unpredictable tokens that only a receiver there
/// can echo.
///
/// ACKs are the peer's claim and may come by another path. A client that has proven an address and then loses
/// or shares it could acknowledge data it never received, and have us flood the address's new owner (RFC 9000
/// sections 21.1 and 21.4). So data is sent on credit: at most `limit` bytes since the departure of the last
/// token that was echoed.
///
/// The credit is at least 4 MB. It follows the path's rate, because a long or fast path would otherwise stop
/// for it: twice the bytes that left between a token and its echo, or the bytes that leave in 50 ms if that
/// is more, as either host may be busy for a moment.
public struct PeerPresence: ~Copyable {
    /// Minimum credit, in bytes of data.
    public static let leastCredit: UInt64 = 4 << 20
    /// With less data than this since the last echo, no token is sent: an idle path costs nothing.
    public static let freeBytes: UInt64 = 32 * 1024
    /// With less data than this, silence does not close the path.
    private static let harmlessBytes: UInt64 = 64 * 1024
    /// The shortest time between two tokens that are due by the clock.
    private static let shortestInterval = Interval.milliseconds(50)
    /// The longest time between two tokens, when none is echoed.
    private static let longestInterval = Interval.seconds(1)
    /// How long the receiver's host may be busy before the path stops.
    private static let hiccup = Interval.milliseconds(50)
    /// How long exhausted credit may stay exhausted before the path is closed; until then it counts as a full
    /// window.
    private static let shortestPause = Interval.milliseconds(250)
    /// Tokens sent per credit, whatever the clock says.
    private static let tokensPerCredit: UInt64 = 8
    /// The longest round trip that the credit follows in full: a peer that delays its echoes appears further
    /// away.
    private static let longestTrip = Interval.milliseconds(1500)
    /// Minimum number of tokens in flight before silence means anything: with 30 % loss in each direction, at
    /// least one of 8 is echoed in 99.5 % of cases.
    private static let fewestTokens = 8
    /// Time without an echo before the path is closed: three round trips, within these bounds.
    private static let shortestPatience = Interval.seconds(2)
    private static let longestPatience = Interval.seconds(5)
    /// Number of tokens remembered: 16 per round trip by the clock, and 8 for the credit.
    private static let memory = 32

    private struct Question {
        var token: UInt64 = 0
        var sentAt = Instant.zero
        /// Bytes of data that had left before the token.
        var position: UInt64 = 0
    }

    /// Whether the peer seems to be gone, so that only tokens and probes may be sent to it.
    public private(set) var isClosed = false
    /// Bytes of data that may leave without an echo.
    public private(set) var limit = Self.leastCredit

    /// Bytes of data that have left.
    private var sent: UInt64 = 0
    private let pinned = Pinned()
    /// Bytes of data that had left before the newest token that was echoed.
    private var proven: UInt64 = 0
    /// When that token left.
    private var provenAt = Instant.zero
    /// Rate at which data left between echoed tokens, in bytes a second, smoothed.
    private var rate = 0.0
    /// Memory of its own: of an InlineArray, a look at one question may copy all.
    private let questions: UnsafeMutablePointer<Question>
    private var count = 0
    /// When the last token left, and the bytes of data before it.
    private var askedAt = Instant.zero
    private var askedAtPosition: UInt64 = 0
    /// When the oldest token after the newest echoed one left; `nil` if none is in flight.
    private var unansweredSince: Instant?
    /// Number of tokens that have left since.
    private var unheard = 0
    /// When a token was last echoed.
    private var heardAt = Instant.zero

    /// A peer whose presence has just been proven.
    public init() {
        questions = .allocate(capacity: Self.memory)
        questions.initialize(repeating: Question(), count: Self.memory)
    }

    deinit { questions.deallocate() }

    /// Bytes of data sent since the newest token that was echoed.
    public var unproven: UInt64 { sent - proven }

    /// Whether another datagram may leave.
    public var hasCredit: Bool { !isClosed && unproven < limit }

    /// Records a datagram of data.
    public mutating func book(_ bytes: Int) { sent += UInt64(bytes) }

    /// When the next token is to leave; `.never` if none is due.
    public func due(_ rtt: borrowing RoundTripTime) -> Instant {
        let interval = max(Self.shortestInterval, rtt.smoothed / 16)
        if !hasCredit {
            // Nothing may leave until a token is echoed, and perhaps none ever will be.
            let silence = unansweredSince.map { askedAt - $0 } ?? .zero
            return askedAt + min(max(interval, silence / 8), Self.longestInterval)
        }
        guard unproven >= Self.freeBytes else { return .never }
        // A token after the last data may be lost like any other.
        guard sent > askedAtPosition else {
            return unansweredSince == nil ? .never : askedAt + interval + rtt.smoothed * 5 / 4
        }
        return sent - askedAtPosition >= limit / Self.tokensPerCredit ? .zero : askedAt + interval
    }

    /// Records a token that leaves now.
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
    /// - Returns: whether we had sent it.
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

    /// Disregards the silence so far, because another reason for it has just ended. The credit stays as it
    /// is.
    public mutating func restartPatience(now: Instant) {
        if unansweredSince != nil { unansweredSince = now }
    }

    /// Closes the path if no token was echoed for too long; that comes sooner when the credit is used up.
    /// - Returns: whether it has just been closed.
    public mutating func closeIfSilent(_ rtt: borrowing RoundTripTime, now: Instant) -> Bool {
        guard closesAt(rtt) <= now else { return false }
        isClosed = true
        return true
    }

    /// When `closeIfSilent` closes the path unless a token is echoed before; `.never` if nothing is wrong or
    /// it is closed already.
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
