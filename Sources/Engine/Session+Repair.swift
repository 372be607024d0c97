import Packet
import Proto
import Scheduler

// What is sent twice: what a path has lost, and what must not be lost.
extension Session {
    /// The most bytes of repairs at once. Beyond it repairs are at most a tenth of what is sent.
    static var largestRepairBudget: Int { 512 * 1024 }
    /// The most bytes of copies at once.
    static var largestCopyBudget: Int { 16 * 1024 }
    /// The share of what the paths carry that copies may take.
    static var copyShare: Double { 0.025 }
    /// The largest packet that is copied, in bytes: voice, keystrokes, DNS, SYN.
    static var largestCopy: Int { 300 }
    /// After this long the receiver waits for nothing any more (`ReorderBuffer.longestHold`, and the way there).
    static var repairTime: Interval { .milliseconds(800) }

    /// Sends again what the path at `index` has just lost, if it still helps and is not too much.
    mutating func repair(_ index: Int, _ resources: inout Resources, now: Instant) {
        while !lost.isEmpty {
            let slot = lost.first
            let length = resources.pool.length(of: slot)
            lost.removeFirst(length: length)
            // A copy is under way elsewhere: it is time for a repair when that one is lost, too.
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

    /// Whether an interactive packet goes on a second path as well.
    func wantsCopy(_ slot: Slot, _ length: Int, _ resources: borrowing Resources) -> Bool {
        guard copyBudget > length else { return false }
        return resources.notes[slot].trafficClass == .realtime
            || length <= Self.largestCopy && queue.isFirstSlow
    }
}
