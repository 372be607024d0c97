import Packet
import Proto
import Scheduler

// Into the queue, out of it again, onto the paths.
extension Session {
    /// Maximum length of the queue before the paths, in seconds at the sum of their rates, for flows that
    /// ignore drops. CoDel keeps it far shorter for those that react.
    static var queueTime: Double { 0.15 }
    /// The same in bytes while a path's rate is still being found, which a flow's slow start may outrun: one
    /// round trip at 160 Mbit/s and 100 ms.
    static var trustedQueue: Int { 2 * 1024 * 1024 }
    /// Maximum standing delay of a bulk flow's own queue.
    static var longestStand: Interval { .milliseconds(60) }
    /// Maximum standing delay for some seconds after the paths have lost part of their capacity.
    static var longestOutage: Interval { .milliseconds(250) }
    /// Maximum number of packets that wait before the paths.
    static var longestQueue: Int { 8192 }
    /// A packet that found no path for this long is dropped.
    static var longestWait: Interval { .seconds(2) }

    /// Bytes of data that a session may send before others have their turn.
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
        if queue.isEmpty && resend.isEmpty && !hasBacklog && coding.due > now { return .done }
        var budget = Self.turnBudget
        limitQueue(now: now)
        refreshLanes(now: now)
        if coding.due <= now { sendRepairSymbol(&resources, now: now) }
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
        queue.append(slot, length: length, now: now, notes: resources.notes)
        allowance.queue(1)
        while queue.bytes > queueLimit || queue.count > Self.longestQueue || allowance.isQueueOver {
            let dropped = queue.dropFromLongest(pool: &resources.pool, notes: resources.notes)
            allowance.queue(-dropped)
            resources.drops.queueFull += UInt64(dropped)
            if dropped == 0 { break }
        }
    }

    /// Updates the queue's limits to follow the paths' rates and round trips.
    private mutating func limitQueue(now: Instant) {
        var rate = 0.0
        var lossRate = 0.0
        var rtt = Interval.zero
        var fastest = Interval.seconds(10)
        var measured = 0.0
        var isNew = false
        let isOverflowing = isOverflowing
        // Paths that take no part do not count.
        for i in 0..<paths.count {
            let path = paths[i]
            guard path.pointee.use == .active || path.pointee.use == .far && isOverflowing else { continue }
            let planned = path.pointee.rate.plannedRate(path.pointee.rtt)
            rate += planned
            if path.pointee.rate.phase == .startup {
                isNew = true
            } else {
                measured += path.pointee.rate.rate ?? 0
            }
            lossRate += planned * path.pointee.lossRatio
            rtt = max(rtt, path.pointee.rtt.smoothed)
            fastest = min(fastest, path.pointee.rtt.smoothed)
        }
        let elapsed = min(now - limitedAt, .seconds(1))
        limitedAt = now
        copyBudget = min(
            copyBudget + Int(saturating: rate * Self.copyShare * elapsed.seconds), Self.largestCopyBudget)
        capacity.record(Int64(saturating: measured), now: now)
        let before = max(Double(capacity.value ?? 0), rate)
        queueLimit = max(Int(saturating: before * Self.queueTime), isNew ? Self.trustedQueue : 256 * 1024)
        // The time that the flow waits for repairs is part of its round trip: one repair if losses are so
        // frequent that one is nearly always in progress, and another if repairs are lost as often.
        let repair = (rtt + min(fastest, rtt)) / 2 + .milliseconds(10)
        var underWay = lossRate / 1452 * repair.seconds
        var whole = rtt
        for _ in 0..<3 where rate > 0 {
            whole =
                whole
                + Interval(
                    nanoseconds: Int64(saturating: Double(repair.nanoseconds) * min(underWay, 1)))
            underWay *= lossRate / rate
        }
        // A lone Cubic flow needs about half a round trip of queue to keep a link busy after each drop; other
        // flows do not wait behind it.
        let usual = min(max(whole / 2, .milliseconds(5)), max(Self.longestStand, whole / 4))
        // A path that died may be back in a moment. Until then the amount that was in flight on it may wait:
        // Cubic takes a minute to reopen a window that was cut.
        volume.record(Int64(saturating: measured * (whole + usual).seconds), now: now)
        let lost =
            rate > 0
            ? Interval(nanoseconds: Int64(saturating: Double(volume.value ?? 0) / rate * 1e9)) - whole - usual
            : .zero
        queueLimits.target = min(usual + max(lost, .zero), max(usual, Self.longestOutage))
        // The effect of a drop shows only after the standing queue has left, too.
        queueLimits.interval = max((whole + usual) * 2, .milliseconds(100))
    }
}
