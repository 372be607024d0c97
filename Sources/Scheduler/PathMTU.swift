import Packet

/// How large the datagrams of one direction of a path may be, found by sending some (DPLPMTUD, RFC 8899): what routers say of
/// it nobody vouches for, and often they say nothing. Sizes are bytes of UDP payload.
///
/// A probe is a datagram that carries nothing but its size. One that arrives raises what is confirmed; a size of which no
/// probe arrives is out of reach. The largest size is tried first, as it fits most paths, then the middle of what is left.
public struct PathMTU: ~Copyable, Sendable {
    /// What every path is taken to carry until something speaks against it: an MTU of 1280 (RFC 8200 section 5) less the
    /// headers, as in RFC 9000 section 14.
    public static let base = 1200
    /// What is not doubted: the 576 bytes that every IPv4 host takes (RFC 791), less the headers. Paths of an MTU between the
    /// two exist, with tunnels inside tunnels and modems set by hand.
    public static let lowest = 548
    /// How many probes of one size must stay unanswered. RFC 8899 has three; a path that loses a fifth would be misjudged
    /// too often then.
    static let tries = 4
    /// The search ends when no more than this is left to find out: it is worth less than 2 % of a packet.
    static let granularity = 16
    /// A search that ended below the ceiling begins again after this time (RFC 8899 section 5.1.1).
    static let raiseInterval = Interval.seconds(600)
    /// So many large datagrams in a row that did not arrive while smaller ones did are looked into.
    static let missesForDoubt = 3
    /// The same of datagrams up to `base`: they are of all sizes and lost by chance more often than swallowed.
    static let missesForDoubtBelowBase = 8
    /// A new path whose first probe is not decided by then carries what its interface does until it is: on one with a round trip
    /// of seconds large packets would grow too old, and most of what is new is not small.
    static let patience = Interval.milliseconds(400)

    private enum Phase {
        /// Looks for more than is confirmed.
        case searching
        /// Rests until it is time to look again.
        case settled
        /// Finds out whether what is confirmed still gets through.
        case doubting
    }

    /// The largest size that was seen to arrive, or is taken to.
    public private(set) var confirmed: Int
    /// The largest size that the interface may send.
    public private(set) var ceiling: Int
    /// The smallest size that is out of reach.
    private var refused: Int
    /// What the path falls back to: `base`, or `lowest` when it does not even carry that.
    private var floor = Self.base
    /// Whether a datagram of `base` or more has arrived since the last fall.
    private var isBaseProven = false
    private var phase = Phase.searching
    /// Whether nothing is known yet.
    private var isFresh = true
    /// When to look for more again.
    private var raiseAt = Instant.never

    /// The size whose probes are out, or 0.
    private var candidate = 0
    private var sent = 0
    private var lastSent = Instant.zero
    /// The last probe that left before the path had answered, and how many did.
    private var early: UInt64?
    private var earlySent = 0
    /// When the very first probe left.
    private var firstSent: Instant?
    private var numbers = InlineArray<4, UInt64>(repeating: 0)

    private var misses = 0
    private let pinned = Pinned()
    private var smallestMissed = Int.max
    private var missesBelowBase = 0
    private var smallestMissedBelowBase = Int.max

    /// A path of which only the size that its interface carries is known.
    public init(ceiling: Int) { self.init(ceiling: ceiling, earlySent: 0) }

    /// The same path with another socket or endpoint. Probes that went unanswered before the path first answered are not sent again.
    public init(ceiling: Int, after previous: borrowing PathMTU) {
        self.init(ceiling: ceiling, earlySent: previous.earlySent)
    }

    private init(ceiling: Int, earlySent: Int) {
        self.ceiling = max(ceiling, Self.lowest)
        confirmed = min(Self.base, self.ceiling)
        refused = self.ceiling + 1
        self.earlySent = earlySent
        if self.ceiling <= Self.base { settle(.never) }
    }

    /// Whether there is something to find out, or to be looked into, now.
    public var isSearching: Bool { phase != .settled }

    /// Whether a path that has not answered yet may be probed: a few times, and silence proves nothing.
    public var mayProbeEarly: Bool { isFresh && earlySent < Self.tries }

    /// The largest datagram that may go now. While the path is in doubt, large ones wait for the answer.
    public var limit: Int {
        // What is up to `base` goes on until it is certain: nearly always it was lost by chance.
        phase == .doubting && candidate > Self.base ? min(confirmed, Self.base) : confirmed
    }

    /// Whether it carries less than is taken for granted of a path.
    public var isNarrow: Bool { prospect < Self.base }

    /// The same, with the benefit of the doubt for a new path that takes long to answer.
    public func limit(now: Instant) -> Int { trustedAt <= now ? ceiling : limit }

    /// When a new path gets that; `.never` when it is not new.
    public var trustedAt: Instant {
        guard isFresh, let firstSent else { return .never }
        return firstSent + Self.patience
    }

    /// What the path may turn out to carry before a packet that waits for that is too old: a new path what its interface
    /// does, until that was tried.
    public var prospect: Int { isFresh ? ceiling : confirmed }

    /// When there is a probe to send, or one to give up.
    public func due(_ timeout: Interval) -> Instant {
        if phase == .settled { return raiseAt }
        return candidate == 0 ? .zero : lastSent + timeout
    }

    /// The size of the probe to send now, if any. What it is sent as is told by `left`.
    /// - Parameter timeout: how long the answer to one may take.
    public mutating func nextProbe(_ timeout: Interval, now: Instant) -> Int? {
        guard due(timeout) <= now else { return nil }
        if phase == .settled {
            refused = ceiling + 1
            phase = .searching
        }
        if candidate > 0 && sent == Self.tries { fail(now: now) }
        if phase == .settled { return nil }
        if candidate == 0 { choose() }
        return candidate
    }

    /// The probe has left as the path's packet `number`.
    /// - Parameter isEarly: whether the path has not answered yet.
    public mutating func left(as number: UInt64, isEarly: Bool = false, now: Instant) {
        if firstSent == nil { firstSent = now }
        lastSent = now
        if isEarly {
            early = number
            earlySent += 1
        } else {
            numbers[sent % Self.tries] = number
            sent += 1
        }
    }

    /// Takes what an ACK says of the probes that are out.
    /// - Returns: whether something was found out.
    public mutating func acknowledge(_ map: AckMap, now: Instant) -> Bool {
        guard candidate > 0 else { return false }
        var arrived = early.map(map.contains) ?? false
        for i in 0..<min(sent, Self.tries) { arrived = arrived || map.contains(numbers[i]) }
        guard arrived else { return false }
        isFresh = false
        confirmed = max(confirmed, candidate)
        if candidate >= Self.base { proveBase() }
        goOn(now: now)
        return true
    }

    /// Takes what an ACK says of other datagrams: the size of the largest that arrived; how many larger than `base` did not,
    /// and the size of the smallest of those. A black hole lets the small ones through (RFC 8899 section 4.3).
    public mutating func record(arrived: Int, missed: Int, smallestMissed size: Int) {
        if arrived >= Self.base { proveBase() }
        if arrived >= smallestMissed { forgetMisses() }
        guard missed > 0, arrived < size, confirmed > Self.base else { return }
        misses += missed
        smallestMissed = min(smallestMissed, size)
        guard misses >= Self.missesForDoubt && phase != .doubting else { return }
        forgetMisses()
        phase = .doubting
        begin(confirmed)
    }

    /// The same of datagrams up to `base` and larger than `lowest`, which nearly every path carries.
    public mutating func recordBelowBase(arrived: Int, missed: Int, smallestMissed size: Int) {
        if arrived >= smallestMissedBelowBase {
            missesBelowBase = 0
            smallestMissedBelowBase = .max
        }
        guard missed > 0, arrived < size, size <= confirmed else { return }
        missesBelowBase += missed
        smallestMissedBelowBase = min(smallestMissedBelowBase, size)
        guard missesBelowBase >= Self.missesForDoubtBelowBase && phase != .doubting else { return }
        forgetMisses()
        phase = .doubting
        begin(min(confirmed, Self.base))
    }

    /// The host itself refuses datagrams of this size (EMSGSIZE).
    /// - Returns: whether something that counted as confirmed is not.
    public mutating func refuse(_ size: Int, now: Instant) -> Bool {
        guard size > Self.lowest else { return false }
        isFresh = false
        refused = min(refused, size)
        if size <= Self.base { floor = Self.lowest }
        if confirmed >= size {
            fallBack()
            goOn(now: now)
            return true
        }
        if candidate >= size { goOn(now: now) }
        return false
    }

    /// The interface's MTU has changed.
    public mutating func setCeiling(_ ceiling: Int, now: Instant) {
        let new = max(ceiling, Self.lowest)
        guard new != self.ceiling else { return }
        self.ceiling = new
        refused = new + 1
        if confirmed > new { confirmed = new }
        phase = .searching
        goOn(now: now)
    }

    // MARK: -

    /// None of the candidate's probes has arrived.
    private mutating func fail(now: Instant) {
        isFresh = false
        refused = min(refused, candidate)
        if candidate <= Self.base { floor = Self.lowest }
        if phase == .doubting || refused <= confirmed { fallBack() }
        goOn(now: now)
    }

    private mutating func fallBack() {
        confirmed = min(floor, ceiling)
        isBaseProven = false
        forgetMisses()
    }

    private mutating func proveBase() {
        isBaseProven = true
        floor = Self.base
        refused = max(refused, min(Self.base, ceiling) + 1)
        confirmed = max(confirmed, min(Self.base, ceiling))
    }

    /// Searches on, or rests when there is nothing to find.
    private mutating func goOn(now: Instant) {
        candidate = 0
        sent = 0
        phase = .searching
        let isBaseOpen = refused <= ceiling && !isBaseProven && floor == Self.base
        guard
            refused - 1 - confirmed >= Self.granularity || refused > ceiling && confirmed < ceiling
                || isBaseOpen
        else {
            settle(confirmed + Self.granularity <= ceiling ? now + Self.raiseInterval : .never)
            return
        }
    }

    private mutating func settle(_ raise: Instant) {
        phase = .settled
        isFresh = false
        raiseAt = raise
    }

    /// The ceiling first; then, before anything relies on it, what was taken for granted; then the middle of what is left.
    private mutating func choose() {
        if refused > ceiling {
            begin(ceiling)
        } else if !isBaseProven && floor == Self.base && confirmed >= Self.base {
            begin(Self.base)
        } else {
            begin((confirmed + refused) / 2)
        }
    }

    private mutating func begin(_ size: Int) {
        candidate = size
        sent = 0
        early = nil
        lastSent = .zero
    }

    private mutating func forgetMisses() {
        misses = 0
        smallestMissed = .max
        missesBelowBase = 0
        smallestMissedBelowBase = .max
    }
}
