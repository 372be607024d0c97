import FEC
import Packet
import Proto
import Scheduler

// Forward error correction: repairs in advance, where a retransmission after the loss is known would come too
// late.
extension Session {
    /// Loss ratio below which repair is left to TCP, or goes unnoticed by the ear.
    static var leastCodedLoss: Double { 0.001 }
    /// Loss ratio assumed while all paths are long, until a path's first datagrams have shown the real one: a
    /// flow that loses one of its first packets is slow for minutes.
    static var assumedLoss: Double { 0.01 }
    /// A later repair is useless: the receiver's hold, 250 ms, less a margin for ACKs and jitter.
    static var latestRepair: Interval { .milliseconds(200) }
    /// The same for interactive traffic: 150 ms is the limit for a call from mouth to ear (ITU-T G.114).
    static var latestInteractiveRepair: Interval { .milliseconds(100) }
    /// Maximum number of repair symbols per packet, and bytes of them per byte.
    static var largestCodingRatio: Double { 0.3 }
    /// Maximum number of bytes of repair symbols at once beyond that ratio.
    static var largestCodingCredit: Int { 16 * 1024 }
    /// A packet leaves in a repair symbol after at most this time, however few follow it.
    static var longestCodingDelay: Interval { .milliseconds(60) }
    /// Approximate length of windows: longer ones need fewer repair symbols for the same effect, but wait
    /// longer for them.
    static var wantedWindow: Int { 128 }
    /// The same while paths have spare capacity: repair symbols then cost almost nothing, and a flow whose
    /// losses are repaired at once opens its window twice as fast as one that waits for repairs.
    static var spareWindow: Int { 16 }
    static var spareCodingDelay: Interval { .milliseconds(10) }
    /// Share of repair symbols in that case, bytes per byte: links are also paid for by volume.
    static var spareCodingRatio: Double { 0.1 }
    /// After this long without packets at risk, no more sums are formed; after this long without repair
    /// symbols, no more packets are remembered.
    static var codingRest: Interval { .seconds(2) }

    // MARK: - Out

    /// Adds a packet that has just got its sequence to the sums, and sends a repair symbol if one is due.
    /// - Parameter index: the path that carries it; `nil` if two paths do and no protection is needed.
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
        // Sparse traffic that can wait pays for few losses with few repair symbols, however late they arrive.
        let share =
            coding.isSpare
            ? Self.spareCodingRatio
            : isInteractive ? Self.largestCodingRatio : min(5 * ratio, Self.largestCodingRatio)
        coding.credit = min(coding.credit + Int(saturating: Double(length) * share), Self.largestCodingCredit)
        if coding.debt >= 1 || encoder.oldestCount == EncodingWindow.longest {
            sendRepairSymbol(&resources, now: now)
        }
    }

    /// Number of repair symbols needed per packet on the path at `index`; 0 if a retransmission would be in
    /// time.
    private func codingRatio(on index: Int, isInteractive: Bool) -> Double {
        let path = paths[index]
        let isNew = path.pointee.sent.next < Path.trial && path.pointee.rtt.isKnown
        guard isNew || path.pointee.randomLoss >= Self.leastCodedLoss else { return 0 }
        var fastest = path.pointee.rtt.minimum
        // A path that is suspect for a moment counts: it will be there for repairs. Standby paths do not.
        for i in 0..<paths.count
        where paths[i].pointee.use == .active || paths[i].pointee.use == .far
            || paths[i].pointee.role == path.pointee.role && paths[i].pointee.liveness.state == .suspect
        {
            fastest = min(fastest, paths[i].pointee.rtt.minimum)
        }
        // As in `repairDelay`, except for our own queues.
        let repair = (path.pointee.rtt.minimum + fastest) / 2 + .milliseconds(10)
        guard repair > (isInteractive ? Self.latestInteractiveRepair : Self.latestRepair) else { return 0 }
        var loss = path.pointee.randomLoss
        if isNew && fastest > Self.latestRepair { loss = max(loss, Self.assumedLoss) }
        return Self.codingRatio(loss, window: Self.wantedWindow)
    }

    private static func codingRatio(_ loss: Double, window: Int) -> Double {
        guard loss >= leastCodedLoss else { return 0 }
        // The mean number of losses per window plus three standard deviations, which covers all but one
        // window in a thousand; and repair symbols are lost, too.
        let ratio = (loss + 3 * (loss / Double(window)).squareRoot()) / (1 - min(loss, 0.5))
        return min(ratio, largestCodingRatio)
    }

    /// Assigns the oldest sum to the path that delivers it first, and begins the next.
    mutating func sendRepairSymbol(_ resources: inout Resources, now: Instant) {
        coding.due = .never
        guard coding.credit > 0, encoder.oldestCount > 0, let repair = encoder.takeOldest() else { return }
        coding.debt = min(max(coding.debt - 1, 0), 1)
        let length = resources.pool.length(of: repair.slot)
        coding.credit -= length + Wire.overhead
        // Windows grow or shrink until they have the right length.
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

    /// Discards all sums.
    mutating func stopCoding(_ resources: inout Resources) {
        encoder.removeAll(pool: &resources.pool)
        coding.debt = 0
        coding.due = .never
    }

    /// Seals a repair symbol as a control datagram that requires an ACK: lost ones count as the path's
    /// losses.
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

    /// Takes a repair symbol from the peer.
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

    /// Keeps a copy of a packet that arrived, for the sums that contain it.
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

/// Forward error correction's needs and allowances.
struct CodingNeeds {
    /// Repair symbols owed; one is sent when this reaches 1.
    var debt = 0.0
    /// Whether repair symbols are sent because there is spare capacity, rather than because retransmissions
    /// would come too late.
    var isSpare = false
    /// Bytes of repair symbols that may be sent now.
    var credit = Session.largestCodingCredit
    /// When a repair symbol is sent at the latest.
    var due = Instant.never
    /// When a packet was last at risk.
    var neededAt = Instant.zero
    /// When the peer last sent a repair symbol.
    var heardAt = Instant.zero
}
