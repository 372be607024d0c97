import Packet
import Proto
import Scheduler

// Into the queue, out of it again, onto the paths.
extension Session {
    /// A packet that found no path for this long is dropped.
    static var longestWait: Interval { .seconds(2) }

    /// Bytes of data that a session of the usual priority may send before others have their turn.
    static var turnBudget: Int { 256 * 1024 }

    /// How a turn of sending ended.
    enum Transmission {
        /// Everything that may leave now has left.
        case done
        /// The outbox is full, and there is more to send.
        case full
        /// The session has sent its share, and there is more to send.
        case spent
    }

    /// Sends the packets that may leave now, up to the session's share of a turn.
    mutating func transmit(
        into outbox: inout Outbox, _ resources: inout Resources, now: Instant
    ) -> Transmission {
        makeTestPackets(&resources, now: now)
        if sendQueue.isEmpty && !paths.hasBacklog && correction.due > now { return .done }
        var budget = turnBudget
        sendQueue.follow(paths, now: now)
        refreshLanes(now: now)
        if correction.due <= now { sendRepairSymbol(&resources, now: now) }
        while true {
            distribute(&resources, now: now)
            var progress = false
            for i in 0..<paths.count {
                switch emit(from: i, within: &budget, into: &outbox, &resources, now: now) {
                case .full: return .full
                case .sent: progress = true
                case .idle: break
                }
            }
            if budget <= 0 { return .spent }
            if !progress { return .done }
        }
    }

    /// Appends a packet from the TUN device to its flow's queue.
    mutating func enqueue(_ slot: Slot, length: Int, _ resources: inout Resources, now: Instant) {
        let dropped = sendQueue.append(
            slot, length: length, allowance: &allowance, now: now, pool: &resources.pool,
            notes: resources.notes)
        resources.drops.queueFull += UInt64(dropped)
    }
}
