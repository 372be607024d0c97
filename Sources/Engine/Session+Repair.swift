import Packet
import Proto
import Scheduler

// Packets that are sent twice: those that a path has lost, and those that must not be lost.
extension Session {
    /// Maximum number of bytes of repairs at once. Beyond it repairs are at most a tenth of the data sent.
    static var largestRepairBudget: Int { 512 * 1024 }
    /// Maximum number of bytes of copies at once.
    static var largestCopyBudget: Int { 16 * 1024 }
    /// Share of the paths' capacity that copies may take.
    static var copyShare: Double { 0.025 }
    /// The largest packet that is copied, in bytes: voice, keystrokes, DNS, SYN.
    static var largestCopy: Int { 300 }
    /// After this long the receiver no longer waits for any packet (`ReorderBuffer.longestHold`, and the way
    /// there).
    static var repairTime: Interval { .milliseconds(800) }

    /// Retransmits packets that the path at `index` has just lost, if that still helps and stays within the
    /// budget.
    mutating func repair(_ index: Int, _ resources: inout Resources, now: Instant) {
        while !lost.isEmpty {
            let slot = lost.first
            let length = resources.pool.length(of: slot)
            lost.removeFirst(length: length)
            // A copy is in flight elsewhere: repair only when that one is lost, too.
            guard !resources.pool.isShared(slot) else {
                resources.pool.release(slot)
                continue
            }
            let isInTime = now - resources.notes[slot].entered <= Self.repairTime
            guard isInTime, repairBudget >= length, resend.append(slot, length: length) else {
                counters.unrepaired += 1
                resources.pool.release(slot)
                continue
            }
            resources.notes.countRepair(of: slot)
            repairBudget -= length + Wire.overhead
            paths[index].pointee.counters.repaired += 1
        }
    }

    /// Whether an interactive packet is also sent on a second path.
    func wantsCopy(_ slot: Slot, _ length: Int, _ resources: borrowing Resources) -> Bool {
        guard copyBudget > length else { return false }
        return resources.notes[slot].trafficClass == .realtime
            || length <= Self.largestCopy && queue.isFirstSlow
    }

    /// How long after a loss is evident its repair may arrive. One attempt takes half the round trip of the
    /// path that lost the packet, half that of the fastest, and the time that ACKs may wait. A repair may be
    /// lost, too, so allow three attempts: a flow that waits for 100 ms is better off than one that halves
    /// its window.
    func repairDelay(now: Instant) -> Interval {
        var slowest = Interval.zero
        var fastest = Interval.seconds(10)
        for i in 0..<paths.count where paths[i].pointee.bringsData {
            let rtt = max(paths[i].pointee.rtt.smoothed, paths[i].pointee.rtt.latest)
            slowest = max(slowest, rtt)
            fastest = min(fastest, rtt)
        }
        return ((slowest + min(fastest, slowest)) / 2 + .milliseconds(10)) * 3
    }
}
