import FEC
import Packet
import Proto
import Scheduler

// Forward error correction: repairs in advance, where one that is sent when the loss is known would come too late.
extension Session {
    /// Losses below this share are left to TCP and to the ear.
    static var leastCodedLoss: Double { 0.001 }
    /// Where all paths are long, so much loss is taken for granted until a path's first datagrams have told: a flow that loses
    /// a packet of its first ones is slow for minutes.
    static var assumedLoss: Double { 0.01 }
    /// A repair that takes longer finds nobody waiting: the receiver's hold, 250 ms, less a margin for ACKs and jitter.
    static var latestRepair: Interval { .milliseconds(200) }
    /// The same for what people hear and see at once: 150 ms is what a call may take from mouth to ear (ITU-T G.114).
    static var latestInteractiveRepair: Interval { .milliseconds(100) }
    /// The most repair symbols for a packet, and bytes of them for a byte.
    static var largestCodingRatio: Double { 0.3 }
    /// The most bytes of repair symbols at once beyond that share.
    static var largestCodingCredit: Int { 16 * 1024 }
    /// A packet is in a repair symbol no later than this, however few follow it.
    static var longestCodingDelay: Interval { .milliseconds(60) }
    /// Windows are about so long: longer ones need fewer repair symbols for the same, but wait for them longer.
    static var wantedWindow: Int { 128 }
    /// The same while paths have room to spare: there repair symbols cost next to nothing, and a flow whose losses are made good
    /// at once opens its window twice as fast as one that waits for repairs.
    static var spareWindow: Int { 16 }
    static var spareCodingDelay: Interval { .milliseconds(10) }
    /// What repair symbols may take then, bytes for a byte: links are paid for by volume, too.
    static var spareCodingRatio: Double { 0.1 }
    /// Without packets at risk for so long, nothing is summed up any more; without repair symbols, nothing remembered.
    static var codingRest: Interval { .seconds(2) }

    // MARK: - Out

    /// Adds a packet that has just got its sequence to the sums, and sends one when it is time.
    /// - Parameter index: the path that it goes on; nil when it goes on two and needs no more.
    mutating func protect(
        _ slot: Slot, _ length: Int, on index: Int?, isInteractive: Bool, _ resources: inout Resources,
        now: Instant
    ) {
        var ratio = index.map { codingRatio(on: $0, isInteractive: isInteractive) } ?? 0
        coding.isSpare = false
        if ratio == 0, let index, paths[index].pointee.isStarved(now: now) {
            ratio = Self.codingRatio(paths[index].pointee.randomLoss, window: Self.spareWindow)
            coding.isSpare = ratio > 0
        }
        let sequence = resources.notes[slot].sequence
        if ratio > 0 {
            coding.neededAt = now
            coding.debt += ratio
            let delay = coding.isSpare ? Self.spareCodingDelay : Self.longestCodingDelay
            if coding.due == .never { coding.due = now + delay }
            if encoder.open == 0 { _ = encoder.begin(at: sequence, pool: &resources.pool) }
        }
        guard encoder.open > 0 else { return }
        guard now - coding.neededAt < Self.codingRest else {
            stopCoding(&resources)
            return
        }
        encoder.add(slot, sequence: sequence, pool: &resources.pool)
        // A trickle that can wait pays for few losses with few repair symbols, however late they come.
        let share =
            coding.isSpare
            ? Self.spareCodingRatio
            : isInteractive ? Self.largestCodingRatio : min(5 * ratio, Self.largestCodingRatio)
        coding.credit = min(coding.credit + Int(saturating: Double(length) * share), Self.largestCodingCredit)
        if coding.debt >= 1 || encoder.oldestCount == EncodingWindow.longest {
            sendRepairSymbol(&resources, now: now)
        }
    }

    /// How many repair symbols a packet needs that goes on the path at `index`; none when it can be sent again in time.
    private func codingRatio(on index: Int, isInteractive: Bool) -> Double {
        let path = paths[index]
        let isNew = path.pointee.sent.next < Path.trial && path.pointee.rtt.isKnown
        guard isNew || path.pointee.randomLoss >= Self.leastCodedLoss else { return 0 }
        var fastest = path.pointee.rtt.minimum
        // A path that is in doubt for a moment counts: it will be there to repair. What stands by does not.
        for i in 0..<paths.count
        where paths[i].pointee.use == .active || paths[i].pointee.use == .far
            || paths[i].pointee.role == path.pointee.role && paths[i].pointee.liveness.state == .suspect
        {
            fastest = min(fastest, paths[i].pointee.rtt.minimum)
        }
        // As in `repairDelay`, but for what waits in queues of our own.
        let repair = (path.pointee.rtt.minimum + fastest) / 2 + .milliseconds(10)
        guard repair > (isInteractive ? Self.latestInteractiveRepair : Self.latestRepair) else { return 0 }
        var loss = path.pointee.randomLoss
        if isNew && fastest > Self.latestRepair { loss = max(loss, Self.assumedLoss) }
        return Self.codingRatio(loss, window: Self.wantedWindow)
    }

    private static func codingRatio(_ loss: Double, window: Int) -> Double {
        guard loss >= leastCodedLoss else { return 0 }
        // The losses that a window has on average and three standard deviations more, as many as all but one window in a
        // thousand have; and repair symbols are lost, too.
        let ratio = (loss + 3 * (loss / Double(window)).squareRoot()) / (1 - min(loss, 0.5))
        return min(ratio, largestCodingRatio)
    }

    /// Gives the oldest sum to the path that brings it soonest, and begins the next.
    mutating func sendRepairSymbol(_ resources: inout Resources, now: Instant) {
        coding.due = .never
        guard coding.credit > 0, encoder.oldestCount > 0, let repair = encoder.takeOldest() else { return }
        coding.debt = min(max(coding.debt - 1, 0), 1)
        let length = resources.pool.length(of: repair.slot)
        coding.credit -= length + Wire.overhead
        // Windows grow or shrink until they are as long as they should be.
        let wanted = coding.isSpare ? Self.spareWindow : Self.wantedWindow
        let begun =
            repair.window.count < wanted ? 2 : repair.window.count > 2 * wanted && encoder.open > 0 ? 0 : 1
        for _ in 0..<begun { _ = encoder.begin(at: nextSequence, pool: &resources.pool) }
        var note = PacketNotes.Note()
        note.sequence = nextSequence
        note.entered = now
        note.isRepairSymbol = true
        resources.notes[repair.slot] = note
        RepairFrame(
            first: repair.window.first, count: UInt8(truncatingIfNeeded: repair.window.count),
            seed: repair.window.seed, symbolSize: length + Wire.shimSize
        ).writeHead(
            to: resources.pool.packet(in: repair.slot, withPrefix: Wire.repairHeadSize + Wire.shimSize))
        if let path = lanes.soonest(length + Wire.repairHeadSize), giveUrgent(repair.slot, length, to: path) {
            counters.repairSymbols += 1
        } else {
            resources.pool.release(repair.slot)
        }
    }

    /// Gives up all sums.
    mutating func stopCoding(_ resources: inout Resources) {
        encoder.removeAll(pool: &resources.pool)
        coding.debt = 0
        coding.due = .never
    }

    /// Seals a repair symbol as a control datagram that wants an ACK: lost ones count as the path's.
    func sealRepairSymbol(
        _ slot: Slot, on path: UnsafeMutablePointer<Path>, into room: UnsafeMutableRawBufferPointer,
        _ resources: borrowing Resources
    ) -> Int {
        seal(
            UnsafeRawBufferPointer(
                resources.pool.packet(in: slot, withPrefix: Wire.repairHeadSize + Wire.shimSize)),
            behind: controlHeader(on: path, wantsAck: true, resources), into: room)
    }

    // MARK: - In

    /// Takes a repair symbol of the peer.
    mutating func take(
        _ frame: RepairFrame, _ symbol: UnsafeRawBufferPointer, near sequence: UInt64,
        _ resources: inout Resources, now: Instant
    ) {
        coding.heardAt = now
        hasGrown = true
        let window = EncodingWindow(
            first: frame.first(near: sequence), count: Int(frame.count), seed: frame.seed)
        let before = decoder.held
        decoder.take(symbol, of: window, mayGrow: allowance.mayKeep, pool: &resources.pool)
        if decoder.held > before { allowance.keep() }
    }

    /// Keeps a copy of a packet that arrived, for the sums that it is in.
    mutating func remember(_ slot: Slot, sequence: UInt64, _ resources: inout Resources, now: Instant) {
        guard decoder.isActive else { return }
        if now - coding.heardAt < Self.codingRest {
            let before = decoder.held
            decoder.note(slot, sequence: sequence, mayGrow: allowance.mayKeep, pool: &resources.pool)
            if decoder.held > before { allowance.keep() }
        } else {
            decoder.removeAll(pool: &resources.pool)
        }
    }
}

/// What forward error correction has to do, and may.
struct CodingNeeds {
    /// Repair symbols that are owed; one is sent when it is 1.
    var debt = 0.0
    /// Whether repair symbols are sent as there is room to spare, and not because repairs would come too late.
    var isSpare = false
    /// Bytes of repair symbols that may be sent now.
    var credit = Session.largestCodingCredit
    /// When one is sent at the latest.
    var due = Instant.never
    /// When a packet was last at risk.
    var neededAt = Instant.zero
    /// When the peer last sent a repair symbol.
    var heardAt = Instant.zero
}
