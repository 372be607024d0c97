import Packet

/// The datagrams sent on one path that are not yet known to have arrived or to be lost.
///
/// A ring indexed by packet number. A datagram is lost when three later ones were acknowledged (RFC 9002
/// section 6.1.1); a late ACK takes the loss back.
///
/// Now and then a randomly chosen packet number is skipped. No receiver can have seen it, so an ACK that
/// contains it is optimistic: made up before the datagrams arrived, to make the sender exceed the path's rate
/// (RFC 9000 section 21.4).
public struct SentPackets: ~Copyable {
    /// Number of later packets acknowledged after which a packet is lost.
    public static let reorderingThreshold: UInt64 = 3
    /// Maximum number of datagrams remembered; beyond it the oldest are forgotten as lost.
    public static let bound = 32768
    /// Entries reserved for control datagrams, which are sent even when the window is full.
    private static let reserve = 512
    /// The fewest datagrams from one skipped packet number to the next.
    public static let shortestRun: UInt64 = 64
    /// The most, while little is in flight: the receiver acknowledges at once when it sees a gap, which costs
    /// a slow path.
    public static let longestRun: UInt64 = 1024
    /// The most, while a lot is in flight and an optimistic ACK would gain most.
    private static let longestBusyRun: UInt64 = 256
    /// Bytes in flight that still count as little: 64 full datagrams.
    private static let littleFlight = 64 * 1452

    /// The result of one ACK frame.
    public struct News: Sendable {
        /// Datagrams newly known to have arrived.
        public var acknowledged = 0
        /// Datagrams newly known to be lost, less those taken back.
        public var lost = 0
        /// When the highest newly acknowledged datagram left; `nil` if none is new or the highest was known.
        public var highestSent: Instant?
        /// Bytes sent up to and including that datagram, with `RateModel.datagramOverhead` for each datagram;
        /// modulo 2³².
        public var highestTotal: UInt32 = 0
        /// Whether that datagram left while the path had nothing else to send.
        public var starved = false
        /// How late a datagram that counted as lost arrived, relative to one sent after it: the largest such
        /// delay, zero if there is none.
        public var lateness = Interval.zero
        /// The size of the largest datagram newly known to have arrived.
        public var largestArrived = 0
        /// Datagrams larger than `PathMTU.base` newly presumed lost.
        public var missed = 0
        /// The size of the smallest of those.
        public var smallestMissed = Int.max
        /// Datagrams larger than `PathMTU.lowest` and no larger than `PathMTU.base` newly presumed lost.
        public var missedBelowBase = 0
        /// The size of the smallest of those.
        public var smallestMissedBelowBase = Int.max
        /// Newly arrived datagrams that left with an ECN codepoint other than Not-ECT.
        public var markedArrived = 0
        /// Newly arrived datagrams that left as Not-ECT.
        public var plainArrived = 0
        /// Datagrams with a codepoint newly presumed lost.
        public var markedMissed = 0
        /// Whether the ACK contains a skipped packet number, which proves that it was made up.
        public var containsSkipped = false

        fileprivate mutating func miss(_ entry: Entry) {
            if entry.isMarked { markedMissed += 1 }
            let size = Int(entry.size)
            if size > PathMTU.base {
                missed += 1
                smallestMissed = min(smallestMissed, size)
            } else if size > PathMTU.lowest {
                missedBelowBase += 1
                smallestMissedBelowBase = min(smallestMissedBelowBase, size)
            }
        }
    }

    fileprivate struct Entry {
        var sent = Instant.zero
        var slot = Slot.none
        /// Bytes sent up to and including this datagram; modulo 2³².
        var total: UInt32 = 0
        var size: UInt16 = 0
        var state = State.settled
        var isEliciting = false
        var starved = false
        /// Given up with its path, and then passed by later datagrams.
        var isMissed = false
        /// Left with an ECN codepoint other than Not-ECT.
        var isMarked = false
        /// One of the next three numbers was skipped: no datagram with that number can have overtaken this
        /// one.
        var precedesSkip = false
    }

    fileprivate enum State: UInt8 {
        case inFlight
        case lost
        /// Given up with its path: neither lost nor known to have arrived.
        case surrendered
        case settled
        /// Never sent.
        case skipped
    }

    /// Packet number of the next datagram.
    public private(set) var next: UInt64 = 0
    /// Packet numbers skipped so far.
    public private(set) var skipped: UInt64 = 0
    /// Bytes in flight that require an ACK.
    public private(set) var bytesInFlight = 0
    /// Number of datagrams whose packets are kept for retransmission.
    public private(set) var held = 0

    private var base: UInt64 = 0
    private let pinned = Pinned()
    private var oldest: UInt64 = 0
    /// Nothing below this is in flight, because all of it was given up.
    private var surrendered: UInt64 = 0
    /// Bytes sent; modulo 2³².
    private var total: UInt32 = 0
    /// The number to skip next; `nil` before the first run was drawn.
    private var skipAt: UInt64?
    private var largestAcknowledged: UInt64?
    private static let smallest = 64
    private var ring: UnsafeMutablePointer<Entry>
    private var capacity = Self.smallest

    /// Nothing sent yet.
    public init() {
        ring = .allocate(capacity: capacity)
        ring.initialize(repeating: Entry(), count: capacity)
    }

    deinit { ring.deallocate() }

    private func entry(_ number: UInt64) -> UnsafeMutablePointer<Entry> {
        ring + Int(truncatingIfNeeded: number & UInt64(capacity - 1))
    }

    /// Records the datagram `next`, which leaves now. `slot` is kept, with its share of the ownership, until
    /// an ACK settles it; it is `Slot.none` for data that is never retransmitted.
    public mutating func append(
        slot: Slot, size: Int, eliciting: Bool, starved: Bool, isMarked: Bool = false, now: Instant,
        pool: inout PacketPool
    ) {
        makeRoom(pool: &pool)
        total &+= UInt32(truncatingIfNeeded: size + RateModel.datagramOverhead)
        entry(next).pointee = Entry(
            sent: now, slot: slot, total: total, size: UInt16(truncatingIfNeeded: size), state: .inFlight,
            isEliciting: eliciting, starved: starved, isMarked: isMarked)
        if eliciting { bytesInFlight += size }
        if slot != .none { held += 1 }
        next += 1
    }

    /// Makes room for another entry, by forgetting the oldest if necessary.
    private mutating func makeRoom(pool: inout PacketPool) {
        guard next - base == UInt64(capacity), !grow() else { return }
        if entry(base).pointee.state == .inFlight { settle(base, as: .lost, pool: &pool) }
        base += 1
        oldest = max(oldest, base)
    }

    /// Whether an ACK has to free entries before more data is sent. Beyond this the ring would forget
    /// datagrams in flight, and ACKs for them would give no more samples.
    public var isFull: Bool { next - base >= UInt64(Self.bound - Self.reserve) }

    /// Whether `skip` has something to do.
    public var isSkipDue: Bool { skipAt.map { next >= $0 } ?? true }

    /// Number of lengths to draw from for the next run without a skipped number: the more is in flight, the
    /// fewer, so that runs are shorter.
    public var runChoices: UInt64 {
        let share = UInt64(max(bytesInFlight, Self.littleFlight) / Self.littleFlight)
        return max(Self.longestRun / share, Self.longestBusyRun) - Self.shortestRun
    }

    /// Skips the packet number `next` and plans the next skip after a run of `shortestRun + draw` datagrams.
    /// The first call only plans.
    /// - Parameter draw: unpredictable, from 0 up to but not including `runChoices`.
    public mutating func skip(draw: UInt64, pool: inout PacketPool) {
        if skipAt != nil {
            makeRoom(pool: &pool)
            entry(next).pointee = Entry(state: .skipped)
            var number = max(base, next < Self.reorderingThreshold ? 0 : next - Self.reorderingThreshold)
            while number < next {
                entry(number).pointee.precedesSkip = true
                number += 1
            }
            next += 1
            skipped += 1
        }
        skipAt = next + Self.shortestRun + draw
    }

    /// When the oldest unanswered datagram that requires an ACK left; `nil` if there is none. Datagrams below
    /// the highest acknowledged one may be lost, but the path has answered since.
    public mutating func oldestUnanswered() -> Instant? {
        if let largestAcknowledged { oldest = max(oldest, largestAcknowledged + 1) }
        while oldest < next {
            let entry = entry(oldest).pointee
            if entry.state == .inFlight && entry.isEliciting { return entry.sent }
            oldest += 1
        }
        return nil
    }

    /// Applies an ACK frame. Returns `nil`, with no effect, for an ACK of a number that was never sent.
    /// - Parameters:
    ///   - reordering: how much later than a newer datagram the path may deliver an older one. A datagram
    ///     that left longer than this before one that has arrived is lost (RFC 9002 section 6.1.2).
    ///   - countsPackets: whether three later arrivals also make a loss; not on a path that has been seen to
    ///     reorder.
    ///   - closesBelow: whether datagrams below the map are lost for good. An ACK that took a faster path may
    ///     have overtaken the ACKs that cover them.
    ///   - lost: receives the packets that were lost and are still wanted, with their ownership.
    public mutating func acknowledge(
        _ map: AckMap, reordering: Interval, countsPackets: Bool = true, closesBelow: Bool = true,
        lost: inout SlotQueue, pool: inout PacketPool, notes: borrowing PacketNotes
    ) -> News? {
        guard map.highest < next else { return nil }
        var news = News()
        let bottom = map.highest > AckMap.span ? map.highest - AckMap.span : 0
        // Datagrams below the map that no earlier ACK covered are lost for good.
        while closesBelow && base < bottom {
            if entry(base).pointee.state == .inFlight {
                if entry(base).pointee.isEliciting {
                    news.lost += 1
                    news.miss(entry(base).pointee)
                }
                lose(base, to: &lost, pool: &pool, notes: notes)
            }
            base += 1
        }
        oldest = max(oldest, base)
        let passedAt = map.highest >= base ? entry(map.highest).pointee.sent - reordering : .zero
        var number = max(base, bottom)
        while number <= map.highest {
            let entry = entry(number)
            let threshold = Self.reorderingThreshold + (entry.pointee.precedesSkip ? 1 : 0)
            switch entry.pointee.state {
            case .settled: break
            case .skipped: if map.contains(number) { news.containsSkipped = true }
            case _ where map.contains(number):
                news.largestArrived = max(news.largestArrived, Int(entry.pointee.size))
                if entry.pointee.isMarked { news.markedArrived += 1 } else { news.plainArrived += 1 }
                if entry.pointee.isEliciting {
                    news.acknowledged += 1
                    if entry.pointee.state == .lost {
                        news.lost -= 1
                        let newest = self.entry(max(largestAcknowledged ?? 0, map.highest)).pointee.sent
                        news.lateness = max(news.lateness, newest - entry.pointee.sent)
                    }
                }
                if number == map.highest && (largestAcknowledged.map { number > $0 } ?? true) {
                    news.highestSent = entry.pointee.sent
                    news.highestTotal = entry.pointee.total
                    news.starved = entry.pointee.starved
                }
                let slot = entry.pointee.slot
                if slot != .none {
                    var note = notes[slot]
                    note.isAcknowledged = true
                    notes[slot] = note
                }
                settle(number, as: .settled, pool: &pool)
            case .inFlight
            where countsPackets && number + threshold <= map.highest
                || entry.pointee.sent < passedAt:
                if entry.pointee.isEliciting {
                    news.lost += 1
                    news.miss(entry.pointee)
                }
                lose(number, to: &lost, pool: &pool, notes: notes)
            case .surrendered
            where !entry.pointee.isMissed && number + threshold <= map.highest
                && entry.pointee.isEliciting:
                entry.pointee.isMissed = true
                news.miss(entry.pointee)
            case .inFlight, .lost, .surrendered: break
            }
            number += 1
        }
        // Settled entries need not be visited again.
        while base <= map.highest && isOver(base) { base += 1 }
        oldest = max(oldest, base)
        largestAcknowledged = max(largestAcknowledged ?? 0, map.highest)
        return news
    }

    /// When the datagram with that number left; `nil` for one that never left or is forgotten.
    public func departure(of number: UInt64) -> Instant? {
        guard number < next, next - number <= UInt64(capacity) else { return nil }
        let sent = entry(number).pointee.sent
        return sent == .zero ? nil : sent
    }

    private func isOver(_ number: UInt64) -> Bool {
        switch entry(number).pointee.state {
        case .settled, .skipped: true
        case .inFlight, .lost, .surrendered: false
        }
    }

    /// Gives up on everything in flight: counts nothing, and hands each packet that is still wanted to
    /// `queue`, with its ownership. A late ACK still settles the datagrams. Those given up earlier are not
    /// visited again, however often the peer takes a path in and out of use.
    /// - Returns: the number of datagrams visited.
    @discardableResult public mutating func surrender(
        to queue: inout SlotQueue, pool: inout PacketPool, notes: borrowing PacketNotes
    ) -> Int {
        let first = max(base, surrendered)
        var number = first
        while number < next {
            let entry = entry(number)
            if entry.pointee.state == .inFlight {
                let slot = entry.pointee.slot
                entry.pointee.slot = .none
                if slot != .none {
                    held -= 1
                    if notes[slot].isAcknowledged || !queue.append(slot, length: pool.length(of: slot)) {
                        pool.release(slot)
                    }
                }
                settle(number, as: .surrendered, pool: &pool)
            }
            number += 1
        }
        surrendered = next
        return Int(next - first)
    }

    /// Releases every slot.
    public mutating func removeAll(pool: inout PacketPool) {
        while base < next {
            settle(base, as: .settled, pool: &pool)
            base += 1
        }
        oldest = next
    }

    /// Records a loss, and hands on the packet if no copy of it has arrived.
    private mutating func lose(
        _ number: UInt64, to lost: inout SlotQueue, pool: inout PacketPool, notes: borrowing PacketNotes
    ) {
        let slot = entry(number).pointee.slot
        if slot != .none && !notes[slot].isAcknowledged && lost.append(slot, length: pool.length(of: slot)) {
            entry(number).pointee.slot = .none
            held -= 1
        }
        settle(number, as: .lost, pool: &pool)
    }

    /// Shrinks the ring if an idle path's capacity suffices. Entries at the bottom that are settled, or were
    /// lost too long ago for an ACK to be expected, are forgotten.
    public mutating func shrink() {
        guard capacity > Self.smallest else { return }
        while base < next, entry(base).pointee.state != .inFlight { base += 1 }
        oldest = max(oldest, base)
        guard next - base <= UInt64(Self.smallest) else { return }
        resize(to: Self.smallest)
    }

    private mutating func settle(_ number: UInt64, as state: State, pool: inout PacketPool) {
        let entry = entry(number)
        if entry.pointee.state == .inFlight && entry.pointee.isEliciting {
            bytesInFlight -= Int(entry.pointee.size)
        }
        if entry.pointee.slot != .none {
            pool.release(entry.pointee.slot)
            held -= 1
        }
        entry.pointee.slot = .none
        entry.pointee.state = state
    }

    private mutating func grow() -> Bool {
        guard capacity < Self.bound else { return false }
        resize(to: capacity * 2)
        return true
    }

    private mutating func resize(to newCapacity: Int) {
        let other = UnsafeMutablePointer<Entry>.allocate(capacity: newCapacity)
        other.initialize(repeating: Entry(), count: newCapacity)
        var number = base
        while number < next {
            other[Int(number & UInt64(newCapacity - 1))] = entry(number).pointee
            number += 1
        }
        ring.deallocate()
        ring = other
        capacity = newCapacity
    }
}
