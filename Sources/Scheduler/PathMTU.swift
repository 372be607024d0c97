import Packet

/// How large the datagrams of one direction of a path may be, found by sending probes (DPLPMTUD, RFC 8899):
/// routers' reports of the MTU are unauthenticated and often missing. Sizes are bytes of UDP payload.
///
/// A probe is a datagram that carries nothing but its size. A probe that arrives raises the confirmed size; a
/// size none of whose probes arrives is out of reach. The largest size is tried first, as it fits most paths,
/// then the middle of the remaining range.
public struct PathMTU: ~Copyable, Sendable {
    /// Size that every path is assumed to carry until there is evidence against it: an MTU of 1280 (RFC 8200
    /// section 5) less the headers, as in RFC 9000 section 14.
    public static let base = 1200
    /// Size that is never doubted: the 576 bytes that every IPv4 host accepts (RFC 791), less the headers.
    /// Paths with an MTU between the two exist: tunnels inside tunnels, and modems configured by hand.
    public static let lowest = 548
    /// Number of probes of one size that must stay unanswered. RFC 8899 uses three; a path that loses a fifth
    /// of its datagrams would then be misjudged too often.
    static let tries = 4
    /// The search ends when the remaining range is no larger than this: less than 2 % of a packet.
    static let granularity = 16
    /// A search that ended below the ceiling is repeated after this time (RFC 8899 section 5.1.1).
    static let raiseInterval = Interval.seconds(600)
    /// Number of consecutive large datagrams lost, while smaller ones arrived, after which the path is in
    /// doubt.
    static let missesForDoubt = 3
    /// The same for datagrams up to `base`: these come in all sizes and are lost by chance more often than
    /// they are swallowed.
    static let missesForDoubtBelowBase = 8
    /// A new path whose first probe is undecided after this time carries whatever its interface allows until
    /// the probe is decided. On a path with a round trip of seconds large packets would otherwise grow too
    /// old, and most new paths are not narrow.
    static let patience = Interval.milliseconds(400)

    private enum Phase {
        /// Looking for a larger size than the confirmed one.
        case searching
        /// Waiting until it is time to search again.
        case settled
        /// Checking whether the confirmed size still gets through.
        case doubting
    }

    /// The largest size known, or assumed, to arrive.
    public private(set) var confirmed: Int
    /// The largest size that the interface may send.
    public private(set) var ceiling: Int
    /// The smallest size that is out of reach.
    private var refused: Int
    /// Size that the path falls back to: `base`, or `lowest` if it does not even carry that.
    private var floor = Self.base
    /// Whether a datagram of at least `base` has arrived since the last fallback.
    private var isBaseProven = false
    private var phase = Phase.searching
    /// Whether nothing is known of the path yet.
    private var isFresh = true
    /// When to search for a larger size again.
    private var raiseAt = Instant.never

    /// The size whose probes are in flight, or 0.
    private var candidate = 0
    private var sent = 0
    private var lastSent = Instant.zero
    /// The last probe that left before the path had answered; `earlySent` counts them.
    private var early: UInt64?
    private var earlySent = 0
    /// When the first probe left.
    private var firstSent: Instant?
    private var numbers = InlineArray<4, UInt64>(repeating: 0)

    private var misses = 0
    private let pinned = Pinned()
    private var smallestMissed = Int.max
    private var missesBelowBase = 0
    private var smallestMissedBelowBase = Int.max

    /// A path of which only the size that its interface carries is known.
    public init(ceiling: Int) { self.init(ceiling: ceiling, earlySent: 0) }

    /// A path of which only its interface's MTU is known.
    /// - Parameter previous: the state of the same path with another socket or endpoint; probes that stayed
    ///   unanswered before the path ever answered are not sent again.
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

    /// Whether there is a size to find or a doubt to resolve now.
    public var isSearching: Bool { phase != .settled }

    /// Whether a path that has not answered yet may be probed: a few times, and silence then proves nothing.
    public var mayProbeEarly: Bool { isFresh && earlySent < Self.tries }

    /// The largest datagram that may leave now. While the path is in doubt, large ones wait for the result.
    public var limit: Int {
        // Datagrams up to `base` continue until the result is certain: nearly always they were lost by
        // chance.
        phase == .doubting && candidate > Self.base ? min(confirmed, Self.base) : confirmed
    }

    /// Whether the path carries less than the size assumed of every path.
    public var isNarrow: Bool { prospect < Self.base }

    /// `limit`, or the ceiling for a new path that takes long to answer (`patience`).
    public func limit(now: Instant) -> Int { trustedAt <= now ? ceiling : limit }

    /// When a new path gets that benefit; `.never` if it is not new.
    public var trustedAt: Instant {
        guard isFresh, let firstSent else { return .never }
        return firstSent + Self.patience
    }

    /// Size that the path may turn out to carry before a packet that waits for it is too old: for a new path,
    /// whatever its interface allows, until that has been tried.
    public var prospect: Int { isFresh ? ceiling : confirmed }

    /// When the next probe is due, or a probe in flight is to be given up.
    public func due(_ timeout: Interval) -> Instant {
        if phase == .settled { return raiseAt }
        return candidate == 0 ? .zero : lastSent + timeout
    }

    /// The size of the probe to send now, if any. The caller reports its packet number with `left`.
    /// - Parameter timeout: how long the answer to a probe may take.
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

    /// Applies an ACK to the probes in flight.
    /// - Returns: whether a size was confirmed or ruled out.
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

    /// Applies an ACK's result for other datagrams: the size of the largest that arrived, the number larger
    /// than `base` that did not, and the size of the smallest of those. A black hole lets the small ones
    /// through (RFC 8899 section 4.3).
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

    /// The same for datagrams larger than `lowest` and no larger than `base`, which nearly every path
    /// carries.
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

    /// The host itself refused to send datagrams of this size (EMSGSIZE).
    /// - Returns: whether a size that counted as confirmed no longer does.
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

    /// Continues the search, or rests if there is nothing to find.
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

    /// Chooses the next size: the ceiling first; then, before anything relies on it, the size assumed so far;
    /// then the middle of the remaining range.
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
