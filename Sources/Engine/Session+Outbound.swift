import Packet
import Proto
import Scheduler

// Into the queue, out of it again, onto the paths.
extension Session {
    /// What waits before the paths is at most this long at the sum of their rates, for flows that heed no drop. CoDel keeps
    /// it far shorter for those that do.
    static var queueTime: Double { 0.15 }
    /// In bytes, the same while a path's rate is still being found, which a flow's slow start may outrun: so much is a round
    /// trip of 160 Mbit/s and 100 ms.
    static var trustedQueue: Int { 2 * 1024 * 1024 }
    /// The longest that a bulk flow's own queue may stand.
    static var longestStand: Interval { .milliseconds(60) }
    /// The longest that it may stand for some seconds after the paths have lost a part of what they carried.
    static var longestOutage: Interval { .milliseconds(250) }
    /// The most packets that wait before the paths.
    static var longestQueue: Int { 8192 }
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

    /// Puts a packet from the TUN device into its flow's queue.
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

    /// Follows the paths' rates and round trips with what may wait before them.
    private mutating func limitQueue(now: Instant) {
        var rate = 0.0
        var lossRate = 0.0
        var rtt = Interval.zero
        var fastest = Interval.seconds(10)
        var measured = 0.0
        var isNew = false
        let isOverflowing = isOverflowing
        // What takes no part does not count.
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
        // What the flow waits for while losses are repaired is part of its round trip: one repair if there are so many
        // losses that one is nearly always under way, another if repairs are lost as often.
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
        // A lone Cubic flow needs about half a round trip of queue to keep a link busy after each drop; others don't
        // wait behind it.
        let usual = min(max(whole / 2, .milliseconds(5)), max(Self.longestStand, whole / 4))
        // A path that died may be back in a moment. Until then what was under way on it may wait: a window that was cut takes
        // Cubic a minute to open again.
        volume.record(Int64(saturating: measured * (whole + usual).seconds), now: now)
        let lost =
            rate > 0
            ? Interval(nanoseconds: Int64(saturating: Double(volume.value ?? 0) / rate * 1e9)) - whole - usual
            : .zero
        queueLimits.target = min(usual + max(lost, .zero), max(usual, Self.longestOutage))
        // What a drop brings about shows when the queue that stood has left, too.
        queueLimits.interval = max((whole + usual) * 2, .milliseconds(100))
    }
}
