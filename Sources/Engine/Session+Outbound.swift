import Packet
import Proto
import Scheduler

// Into the queue, out of it again, onto the paths.
extension Session {
    /// A packet that found no path for so long is dropped.
    static var longestWait: Interval { .seconds(2) }

    /// The bytes of data that a session may send before others have their turn.
    static var turnBudget: Int { 256 * 1024 }

    /// How a turn of sending has ended.
    enum Transmission {
        /// Everything has left that may leave now.
        case done
        /// The outbox is full, and there is more.
        case full
        /// The session has sent its share, and there is more.
        case spent
    }

    /// Sends what may leave now, up to the session's share of a turn.
    mutating func transmit(
        into outbox: inout Outbox, _ resources: inout Resources, now: Instant
    ) -> Transmission {
        makeTestPackets(&resources, now: now)
        if sendQueue.isEmpty && !paths.hasBacklog && correction.due > now { return .done }
        var budget = Self.turnBudget
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

    /// Puts a packet from the TUN device into its flow's queue.
    mutating func enqueue(_ slot: Slot, length: Int, _ resources: inout Resources, now: Instant) {
        let dropped = sendQueue.append(
            slot, length: length, allowance: &allowance, now: now, pool: &resources.pool,
            notes: resources.notes)
        resources.drops.queueFull += UInt64(dropped)
    }
}
