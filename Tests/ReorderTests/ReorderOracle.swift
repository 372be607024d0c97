import Packet

/// The expected behavior of a `ReorderBuffer`, in the simplest form: sets and lists, searched from end to end.
struct ReorderOracle {
    struct Waiting {
        let sequence: UInt64
        let predecessor: UInt64
        let deadline: Instant
    }

    let bound: Int
    private(set) var delivered: [UInt64] = []
    private(set) var waiting: [Waiting] = []
    private var received: Set<UInt64> = []
    private var settled: Set<UInt64> = []
    private var top: UInt64 = 0
    private var settledTop: UInt64 = 0
    private var floor: UInt64 = 0

    init(bound: Int) { self.bound = bound }

    /// The window, which follows the rate.
    private var span: UInt64 = 65536
    private var measuredTop: UInt64 = 0
    private var measuredAt = Instant.zero
    private var forgotten: UInt64 = 0
    private var settledForgotten: UInt64 = 0

    private var bottom: UInt64 { max(forgotten, top > span ? top - span : 0) }
    private var settledBottom: UInt64 { max(settledForgotten, settledTop > span ? settledTop - span : 0) }

    /// If half a window passes in less than 250 ms it doubles, up to 262,144.
    private mutating func followRate(_ now: Instant) {
        guard top >= measuredTop + span / 2 else { return }
        if now - measuredAt < .milliseconds(250) && span < 262_144 {
            (forgotten, settledForgotten) = (bottom, settledBottom)
            span *= 2
        }
        (measuredTop, measuredAt) = (top, now)
    }

    private mutating func isSettled(_ sequence: UInt64) -> Bool {
        if sequence < floor && sequence >= bottom && !received.contains(sequence) { settle(sequence) }
        return settled.contains(sequence) || sequence < settledBottom
    }

    /// "delivered", "held", "duplicate" or "stale".
    mutating func accept(_ sequence: UInt64, distance: UInt64, hold: Interval, now: Instant) -> String {
        if sequence < bottom || sequence >= 1 << 62 { return "stale" }
        if !received.insert(sequence).inserted { return "duplicate" }
        top = max(top, sequence + 1)
        followRate(now)
        guard distance > 0, distance <= sequence, !isSettled(sequence - distance) else {
            deliver(sequence)
            return "delivered"
        }
        if waiting.count >= bound, let earliest = waiting.min(by: { $0.deadline < $1.deadline }) {
            giveUp(earliest)
        }
        if isSettled(sequence - distance) {
            deliver(sequence)
            return "delivered"
        }
        // Two packets cannot wait for the same one.
        if waiting.contains(where: { $0.predecessor == sequence - distance }) {
            deliver(sequence)
            return "delivered"
        }
        waiting.append(Waiting(sequence: sequence, predecessor: sequence - distance, deadline: now + hold))
        return "held"
    }

    mutating func expire(_ now: Instant) {
        while let earliest = waiting.min(by: { $0.deadline < $1.deadline }), earliest.deadline <= now {
            giveUp(earliest)
        }
    }

    mutating func prove(_ newFloor: UInt64) {
        floor = max(floor, newFloor)
        for sequence in waiting.map(\.predecessor).sorted()
        where sequence >= bottom && !received.contains(sequence) {
            guard isSettled(sequence), let next = waiting.first(where: { $0.predecessor == sequence }) else {
                continue
            }
            giveUp(next)
        }
    }

    var nextDeadline: Instant { waiting.map(\.deadline).min() ?? .never }

    /// Gives up the predecessor of the first packet in the chain that contains `packet`.
    private mutating func giveUp(_ packet: Waiting) {
        var first = packet
        while let earlier = waiting.first(where: { $0.sequence == first.predecessor }) { first = earlier }
        settle(first.predecessor)
        waiting.removeAll { $0.sequence == first.sequence }
        deliver(first.sequence)
    }

    private mutating func settle(_ sequence: UInt64) {
        settled.insert(sequence)
        settledTop = max(settledTop, sequence + 1)
    }

    private mutating func deliver(_ sequence: UInt64) {
        settle(sequence)
        delivered.append(sequence)
        guard let next = waiting.firstIndex(where: { $0.predecessor == sequence }) else { return }
        deliver(waiting.remove(at: next).sequence)
    }
}
