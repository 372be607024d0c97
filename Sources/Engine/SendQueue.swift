import Packet
import Proto
import Scheduler

/// The packets of a session that wait for a path: new ones in their flows' queues, and those that their path
/// lost or gave up, which are sent first. Bounds both by what the paths carry.
struct SendQueue: ~Copyable {
    /// Time for which packets may wait before the paths, at the sum of their rates, in flows that react to no
    /// drop, in seconds. CoDel keeps the wait far shorter for those that do.
    private static let longestTime = 0.15
    /// Bytes that may wait while a path's rate is still being found, which a flow's slow start may outrun: a
    /// round trip of 160 Mbit/s and 100 ms.
    private static let trustedBytes = 2 * 1024 * 1024
    /// Maximum standing delay of a bulk flow's own queue.
    private static let longestStand = Interval.milliseconds(60)
    /// The same for some seconds after the paths have lost a part of their capacity.
    private static let longestOutage = Interval.milliseconds(250)
    /// Standing delay from which scalable senders are told of it. The paths' own backlog, up to which such a flow
    /// is spread to the next path (`Lanes.slack`), comes before it and does not count.
    private static let step = Interval.milliseconds(2)
    /// A path with less than this in flight carries PINGs and little else.
    private static let fewBytes = 1000
    /// Time for which packets may wait below a throttle, in seconds.
    private static let longestThrottled = 0.1
    /// Bytes that may wait below a throttle in any case.
    private static let leastThrottled = 32 * 1024
    /// The most new packets that wait.
    static let longest = 8192
    /// The most bytes of repairs at once. Beyond it repairs are at most a tenth of the bytes sent.
    private static let largestRepairBudget = 512 * 1024
    /// Maximum number of bytes of copies at once.
    private static let largestCopyBudget = 16 * 1024
    /// The share of the paths' capacity that copies may take.
    private static let copyShare = 0.025
    /// The largest packet that is copied, in bytes: voice, keystrokes, DNS, SYN.
    private static let largestCopy = 300
    /// After this long the receiver no longer waits for a packet (`ReorderBuffer.longestHold`, and the way
    /// there).
    private static let repairTime = Interval.milliseconds(800)

    private var flows = ClassQueues()
    /// Keeps the session to the rate that the peer may receive at.
    private var throttle = Throttle()
    /// Packets that already have a sequence and must be retransmitted.
    private var again = SlotQueue(bound: 32768)
    /// Packets that a path has just lost: empty but between an ACK and `repair`.
    var lost = SlotQueue(bound: 32768)

    /// The most bytes of new packets that may wait.
    private(set) var limit = 256 * 1024
    /// The same as far as the paths are concerned, without the throttle.
    private var pathLimit = 256 * 1024
    /// The limits of a bulk flow's own queue.
    private(set) var flowLimits = CoDel.Limits()
    /// The paths' largest total rate in the last 10 s, in bytes a second.
    private var capacity = WindowedExtremum(window: .seconds(10), keeps: .maximum)
    /// Largest amount of data, in bytes, that one flow could have had in flight over the last 10 s: the
    /// paths' measured rate times the full round trip and the queueing delay allowed.
    private var volume = WindowedExtremum(window: .seconds(10), keeps: .maximum)
    private var repairBudget = Self.largestRepairBudget
    private var copyBudget = Self.largestCopyBudget
    /// When limits and budgets were last updated.
    private var limitedAt = Instant.zero

    /// How many new packets wait.
    var count: Int { flows.count }
    /// Bytes waiting.
    var bytes: Int { flows.bytes }
    /// How many packets of either kind wait.
    var held: Int { flows.count + again.count + lost.count }
    /// Whether no packet waits.
    var isEmpty: Bool { flows.isEmpty && again.isEmpty }
    /// Packets dropped by CoDel.
    var dropped: UInt64 { flows.dropped }
    /// Packets marked instead of dropped, because their flow supports ECN (RFC 3168).
    var marked: UInt64 { flows.marked }
    /// See `capacity`; 0 before anything was measured.
    var measuredCapacity: Int64 { capacity.value ?? 0 }
    /// Whether the queue is nearly full: a flow that reacts to neither drops nor marks is better served late
    /// than not at all, so that far paths help.
    var isOverflowing: Bool { flows.bytes > pathLimit * 3 / 4 }

    // MARK: - New packets

    /// Puts a new packet into its flow's queue, and drops from the longest queue while too much waits.
    /// - Returns: how many packets were dropped.
    mutating func append(
        _ slot: Slot, length: Int, allowance: inout BufferAllowance, now: Instant,
        pool: inout PacketPool,
        notes: borrowing PacketNotes
    ) -> Int {
        var total = flows.append(slot, length: length, now: now, pool: &pool, notes: notes)
        allowance.queue(1 - total)
        while flows.bytes > limit || flows.count > Self.longest || allowance.isQueueOver {
            let dropped = flows.dropFromLongest(pool: &pool, notes: notes)
            allowance.queue(-dropped)
            total += dropped
            if dropped == 0 { break }
        }
        return total
    }

    /// The new packet whose turn it is, or `Slot.none`.
    mutating func first(now: Instant, pool: inout PacketPool, notes: borrowing PacketNotes) -> Slot {
        guard throttle.allows(now) else { return .none }
        return flows.first(flowLimits, now: now, pool: &pool, notes: notes)
    }

    /// Whether that packet's flow sends little, or its class comes before all others.
    var isFirstSparse: Bool { flows.isFirstSparse || flows.isFirstForemost }

    /// Takes out the packet that `first` gave.
    /// - Parameter wasSent: whether it goes to a path.
    mutating func removeFirst(
        length: Int, wasSent: Bool, now: Instant, notes: borrowing PacketNotes
    ) {
        flows.removeFirst(length: length, wasSent: wasSent, now: now, notes: notes)
        if wasSent { throttle.book(length, now: now) }
    }

    /// When a new packet may leave: `.never` if none waits.
    var readyAt: Instant {
        let ready = flows.readyAt
        return ready == .never ? .never : max(ready, throttle.readyAt)
    }

    /// Whether there is nothing to send now, or only what a throttle holds back.
    func isIdle(now: Instant) -> Bool { again.isEmpty && readyAt > now }

    /// Passes over the flow whose turn it is.
    mutating func postponeFirst() { flows.postponeFirst() }

    /// Whether that packet, which is interactive, goes on a second path as well.
    func wantsCopy(length: Int, trafficClass: TrafficClass) -> Bool {
        guard copyBudget > length else { return false }
        return trafficClass == .realtime || length <= Self.largestCopy && flows.isFirstSlow
    }

    /// Charges a copy of `bytes` on the wire to the budget.
    mutating func payForCopy(_ bytes: Int) { copyBudget -= bytes }

    // MARK: - Retransmissions

    /// The first packet to retransmit, or `Slot.none`.
    var firstAgain: Slot { again.first }
    /// Bytes that wait to be retransmitted.
    var bytesAgain: Int { again.bytes }

    /// Takes out the packet that `firstAgain` gave: its class and its flows pay for it if it was sent.
    mutating func removeFirstAgain(length: Int, wasSent: Bool, notes: borrowing PacketNotes) {
        let slot = again.first
        again.removeFirst(length: length)
        if wasSent { flows.charge(length, for: slot, notes: notes) }
    }

    /// A path is out of use: takes over the packets that wait for it and those in flight on it.
    mutating func takeOver(
        from path: UnsafeMutablePointer<Path>, pool: inout PacketPool, notes: borrowing PacketNotes
    ) {
        let before = again.count
        path.pointee.surrender(to: &again, pool: &pool, notes: notes)
        path.pointee.counters.repaired += UInt64(again.count - before)
    }

    /// Has the packets in `lost` sent again that are still useful and within the budget.
    /// - Returns: how many are retransmitted, and how many are not.
    mutating func repair(
        pool: inout PacketPool, notes: borrowing PacketNotes, now: Instant
    ) -> (repaired: UInt64, unrepaired: UInt64) {
        var (repaired, unrepaired): (UInt64, UInt64) = (0, 0)
        while !lost.isEmpty {
            let slot = lost.first
            let length = pool.length(of: slot)
            lost.removeFirst(length: length)
            // A copy is in flight elsewhere: the repair is due when that one is lost, too.
            guard !pool.isShared(slot) else {
                pool.release(slot)
                continue
            }
            let isInTime = now - notes[slot].entered <= Self.repairTime
            guard isInTime, repairBudget >= length, again.append(slot, length: length) else {
                unrepaired += 1
                pool.release(slot)
                continue
            }
            notes.countRepair(of: slot)
            repairBudget -= length + Wire.overhead
            repaired += 1
        }
        return (repaired, unrepaired)
    }

    /// Data of so many bytes has left, which allows a tenth of that in repairs.
    mutating func earnRepairs(_ bytes: Int) {
        repairBudget = min(repairBudget + bytes / 10, Self.largestRepairBudget)
    }

    // MARK: - Classes and the throttle

    /// The most bytes that may wait while the throttle is on.
    private var throttledLimit: Int {
        max(Int(saturating: Double(throttle.rate) * Self.longestThrottled), Self.leastThrottled)
    }

    /// The most bytes a second of new packets that may leave; 0: no limit.
    var rate: UInt64 {
        get { throttle.rate }
        set { if newValue != throttle.rate { throttle = Throttle(rate: newValue) } }
    }

    /// Replaces the classes of service.
    mutating func replaceClasses(
        _ classes: [ServiceClass], _ classifier: borrowing Classifier, now: Instant,
        pool: inout PacketPool, notes: borrowing PacketNotes
    ) {
        flows.replace(classes, classifier, now: now, pool: &pool, notes: notes)
    }

    /// A class's counters and what waits in it. See `ClassQueues.report`.
    func report(
        ofClass index: Int
    ) -> (counters: ClassCounters, share: Double, queued: Int, dropped: UInt64, marked: UInt64) {
        flows.report(of: index)
    }

    // MARK: - Limits

    /// Follows the paths' rates and round trips with the amount that may wait before them.
    mutating func follow(_ paths: borrowing PathList, now: Instant) {
        var rate = 0.0
        var lossRate = 0.0
        var rtt = Interval.zero
        var slowestReport = Interval.zero
        var fastest = Interval.seconds(10)
        var measured = 0.0
        var isNew = false
        var isFinding = false
        let isOverflowing = isOverflowing
        // Paths that take no part do not count.
        for i in 0..<paths.count {
            let path = paths[i]
            guard path.pointee.use == .active || path.pointee.use == .far && isOverflowing else {
                continue
            }
            let planned = path.pointee.rate.plannedRate(path.pointee.rtt)
            rate += planned
            if path.pointee.rate.phase == .startup {
                isNew = true
                isFinding = isFinding || path.pointee.sent.bytesInFlight > Self.fewBytes
            } else {
                measured += path.pointee.rate.rate ?? 0
            }
            lossRate += planned * path.pointee.lossRatio
            rtt = max(rtt, path.pointee.rtt.smoothed)
            if !path.pointee.earlyReports.areUsual(now: now) {
                slowestReport = max(slowestReport, path.pointee.rtt.smoothed)
            }
            fastest = min(fastest, path.pointee.rtt.smoothed)
        }
        let elapsed = min(now - limitedAt, .seconds(1))
        limitedAt = now
        copyBudget = min(
            copyBudget + Int(saturating: rate * Self.copyShare * elapsed.seconds), Self.largestCopyBudget)
        capacity.record(Int64(saturating: measured), now: now)
        let before = max(Double(capacity.value ?? 0), rate)
        pathLimit = max(
            Int(saturating: before * Self.longestTime), isNew ? Self.trustedBytes : 256 * 1024)
        limit = throttle.isOn ? min(pathLimit, throttledLimit) : pathLimit
        flows.beginTurn(rate: rate)
        // The time that a flow waits for repairs is part of its round trip: one repair if there are so many
        // losses that one is nearly always in flight, another if repairs are lost as often.
        let repair = Path.repairTime(reportedBy: slowestReport, fastest: min(fastest, rtt))
        var inFlight = lossRate / 1452 * repair.seconds
        var whole = rtt
        for _ in 0..<3 where rate > 0 {
            whole =
                whole
                + Interval(
                    nanoseconds: Int64(saturating: Double(repair.nanoseconds) * min(inFlight, 1)))
            inFlight *= lossRate / rate
        }
        // A lone Cubic flow needs about half a round trip of queue to keep a link busy after each drop; other
        // flows don't wait behind it.
        let usual = min(max(whole / 2, .milliseconds(5)), max(Self.longestStand, whole / 4))
        // A path that died may be back in a moment. Until then its data in flight may wait: Cubic takes a
        // minute to reopen a window that was cut.
        volume.record(Int64(saturating: measured * (whole + usual).seconds), now: now)
        let missing =
            rate > 0
            ? Interval(nanoseconds: Int64(saturating: Double(volume.value ?? 0) / rate * 1e9)) - whole
                - usual
            : .zero
        flowLimits.target = min(usual + max(missing, .zero), max(usual, Self.longestOutage))
        // While a path's rate is being found, a short queue before it says nothing about its capacity.
        flowLimits.step = isFinding ? max(usual, Self.step) : Self.step
        // The effect of a drop shows when the queue that stood has left, too.
        flowLimits.interval = max((whole + usual) * 2, .milliseconds(100))
    }

    // MARK: - Memory

    /// Frees unused memory.
    mutating func shrink() {
        flows.shrink()
        again.shrink()
        lost.shrink()
    }

    /// Releases every packet.
    mutating func removeAll(pool: inout PacketPool, notes: borrowing PacketNotes) {
        flows.removeAll(pool: &pool, notes: notes)
        again.removeAll(pool: &pool)
        lost.removeAll(pool: &pool)
    }
}

extension Path {
    /// Hands over the packets in flight that are still wanted, and those that wait.
    fileprivate mutating func surrender(
        to other: inout SlotQueue, pool: inout PacketPool, notes: borrowing PacketNotes
    ) {
        sent.surrender(to: &other, pool: &pool, notes: notes)
        urgent.removeAll(to: &other, pool: &pool)
        queue.removeAll(to: &other, pool: &pool)
    }
}
