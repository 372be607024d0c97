import Packet
import Proto
import Reorder
import Scheduler

/// Incoming packets on their way back into order, and how long they may wait for it.
struct Delivery: ~Copyable {
    private var reorder = ReorderBuffer()
    /// How long a packet waits for its predecessor.
    private(set) var hold = Interval.milliseconds(50)
    /// How long after a loss is evident its repair may arrive.
    private(set) var repairHold = Interval.milliseconds(50)
    /// The longest time that packets had to wait, or should have waited, in the last 10 s.
    private var neededHold = WindowedExtremum(window: .seconds(10), keeps: .maximum)

    /// Number of waiting packets.
    var held: Int { reorder.held }
    /// Totals since the session began.
    var counters: ReorderBuffer.Counters { reorder.counters }
    /// When a packet has waited long enough; `.never` when none waits.
    mutating func nextDeadline() -> Instant { reorder.nextDeadline() }

    /// Takes the packet that lies in `slot` behind its shim.
    mutating func accept(
        _ slot: Slot, sequence: UInt64, _ shim: Shim, mayHold: Bool, now: Instant,
        pool: inout PacketPool
    ) -> ReorderBuffer.Verdict {
        let verdict = reorder.accept(
            slot, sequence: sequence, distance: shim.distance,
            trafficClass: TrafficClass(rawValue: shim.trafficClass) ?? .bulk, hold: hold,
            repair: repairHold, wait: shim.wait,
            mayHold: mayHold, now: now, pool: &pool)
        let needed = reorder.takeNeededHold()
        if needed > .zero { learn(needed, now: now) }
        return verdict
    }

    /// A packet came `needed` after the one that should have followed it. The delays that control datagrams
    /// show follow a growing queue, as when the sender probes for more, only several times a second; this
    /// does at once.
    private mutating func learn(_ needed: Interval, now: Instant) {
        guard needed <= ReorderBuffer.longestHold else { return }
        let withMargin = needed * 5 / 4
        neededHold.record(withMargin.nanoseconds, now: now)
        hold = min(max(hold, withMargin), ReorderBuffer.longestHold)
    }

    /// Lets packets go that wait for something which is proven lost, or have waited long enough.
    mutating func advance(_ paths: borrowing PathList, now: Instant, pool: inout PacketPool) {
        guard reorder.held > 0 else { return }
        reorder.prove(lostBelow: paths.provenFloor(now: now), repair: repairHold, now: now, pool: &pool)
        reorder.expire(now: now, pool: &pool)
    }

    /// The next packet that is in order; nil when there is none.
    mutating func popReady(pool: borrowing PacketPool) -> Slot? { reorder.popReady(pool: pool) }

    /// Sets how long a packet waits for its predecessor: the spread of the paths' delays plus their jitter,
    /// at least 5 ms.
    mutating func measureHold(_ paths: borrowing PathList, now: Instant) {
        var slowest = Int64.min
        var fastest = Int64.max
        var jitter = Interval.zero
        for i in 0..<paths.count where paths[i].pointee.bringsData {
            let path = paths[i]
            guard path.pointee.inboundDelay.isKnown else { continue }
            let peak = path.pointee.inboundPeak.value ?? path.pointee.inboundDelay.smoothed.nanoseconds
            slowest = max(slowest, peak)
            fastest = min(fastest, path.pointee.inboundDelay.minimum.nanoseconds)
            jitter = max(jitter, path.pointee.inboundDelay.jitter)
        }
        guard slowest >= fastest else { return }
        let spread = Interval(nanoseconds: slowest - fastest)
        neededHold.record(0, now: now)
        repairHold = paths.repairDelay
        let measured = spread + max(.milliseconds(5), jitter * 2) + repairHold
        // Waiting for a repair takes 250 ms at most; waiting for a satellite takes as long as it needs, and its
        // queue grows by a part of its round trip when the sender probes for more.
        let longest = min(
            max(.milliseconds(250), spread + max(.milliseconds(60), spread / 2)), ReorderBuffer.longestHold)
        hold = min(max(measured, Interval(nanoseconds: neededHold.value ?? 0)), longest)
    }

    /// Frees unused memory.
    mutating func shrink() { reorder.shrink() }

    /// Releases every packet.
    mutating func removeAll(pool: inout PacketPool) { reorder.removeAll(pool: &pool) }
}

extension PathList {
    /// The sequence that every path which may still bring data has passed; 0 if one of them proves nothing.
    func provenFloor(now: Instant) -> UInt64 {
        var floor = UInt64.max
        for i in 0..<count where self[i].pointee.bringsData {
            floor = min(floor, self[i].pointee.keepsOrder(now: now) ? self[i].pointee.passed : 0)
        }
        return floor == .max ? 0 : floor
    }

    /// How long after a loss is evident its repair may come. An attempt takes half the round trip of the path
    /// that reports the loss, half that of the fastest path, and the time that ACKs may wait. A repair may be
    /// lost, too, so there are three attempts: a flow that waits for 100 ms is better off than one that
    /// halves its window.
    var repairDelay: Interval {
        var slowest = Interval.zero
        var slowestReport = Interval.zero
        var fastest = Interval.seconds(10)
        for i in 0..<count where self[i].pointee.bringsData {
            let rtt = max(self[i].pointee.rtt.smoothed, self[i].pointee.rtt.latest)
            slowest = max(slowest, rtt)
            if !self[i].pointee.ackCopies.isOn { slowestReport = max(slowestReport, rtt) }
            fastest = min(fastest, rtt)
        }
        return Path.repairTime(reportedBy: slowestReport, fastest: min(fastest, slowest)) * 3
    }
}
