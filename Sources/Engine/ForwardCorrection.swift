import FEC
import Packet
import Proto
import Scheduler

/// Forward error correction of a session: repair symbols sent in advance, where a repair that is sent once
/// the loss is known would come too late, and packets recovered from those of the peer.
struct ForwardCorrection: ~Copyable {
    /// Loss ratio below which repair is left to TCP, or goes unnoticed by the ear.
    private static let leastLoss = 0.001
    /// The loss assumed where all paths are long, until a path's first datagrams have shown its own: a flow
    /// that loses one of its first packets is slow for minutes.
    private static let assumedLoss = 0.01
    /// A repair that takes longer comes too late: the receiver's hold, 250 ms, less a margin for ACKs and
    /// jitter.
    private static let latestRepair = Interval.milliseconds(200)
    /// The same for sound and video: 150 ms is the most that a call may take from mouth to ear (ITU-T G.114).
    private static let latestInteractiveRepair = Interval.milliseconds(100)
    /// Maximum number of repair symbols per packet, and bytes of them per byte.
    private static let largestRatio = 0.3
    /// Maximum number of bytes of repair symbols at once beyond that ratio.
    private static let largestCredit = 16 * 1024
    /// A packet leaves in a repair symbol after at most this time, however few follow it.
    private static let longestDelay = Interval.milliseconds(60)
    /// Wanted length of windows, in packets: longer ones need fewer repair symbols for the same protection,
    /// but wait for them longer.
    private static let wantedWindow = 128
    /// The same while paths have room to spare: repair symbols cost next to nothing then, and a flow whose
    /// losses are made good at once opens its window twice as fast as one that waits for repairs.
    private static let spareWindow = 16
    private static let spareDelay = Interval.milliseconds(10)
    /// The share of repair symbols then, bytes for a byte: links are paid for by volume, too.
    private static let spareRatio = 0.1
    /// After this long without packets at risk, sums are no longer made; after this long without repair
    /// symbols of the peer, its packets are no longer kept.
    private static let rest = Interval.seconds(2)

    private var encoder = Encoder(prefix: Wire.shimSize)
    private(set) var decoder = Decoder(prefix: Wire.shimSize)
    /// Repair symbols owed; one is sent when it is 1.
    private var debt = 0.0
    /// Whether repair symbols are sent because there is room to spare, and not because repairs would come too
    /// late.
    private var isSpare = false
    /// Bytes of repair symbols that may be sent now.
    private var credit = Self.largestCredit
    /// When a repair symbol is sent at the latest; `.never` when no packet needs one.
    private(set) var due = Instant.never
    /// When a packet was last at risk.
    private var neededAt = Instant.zero
    /// When the peer last sent a repair symbol.
    private var heardAt = Instant.zero

    /// How many sums are being made.
    var openSums: Int { encoder.open }
    /// How many buffers the peer's packets and repair symbols take here.
    var held: Int { decoder.held }

    // MARK: - Out

    /// Adds a packet that has just been given its sequence to the sums.
    /// - Parameter path: the path that it goes on; nil when it goes on two and needs no more.
    /// - Returns: whether a repair symbol is to be sent now.
    mutating func protect(
        _ slot: Slot, _ length: Int, on path: Int?, of paths: borrowing PathList, isInteractive: Bool,
        pool: inout PacketPool, notes: borrowing PacketNotes, now: Instant
    ) -> Bool {
        var ratio = path.map { Self.ratio(on: $0, of: paths, isInteractive: isInteractive, now: now) } ?? 0
        isSpare = false
        if ratio == 0, let path, paths[path].pointee.isStarved(now: now) {
            ratio = Self.ratio(paths[path].pointee.randomLoss, window: Self.spareWindow)
            isSpare = ratio > 0
        }
        let sequence = notes[slot].sequence
        if ratio > 0 {
            neededAt = now
            debt += ratio
            if due == .never { due = now + (isSpare ? Self.spareDelay : Self.longestDelay) }
            if encoder.open == 0 { _ = encoder.begin(at: sequence, pool: &pool) }
        }
        guard encoder.open > 0 else { return false }
        guard now - neededAt < Self.rest else {
            stopSums(pool: &pool)
            return false
        }
        encoder.add(slot, sequence: sequence, pool: &pool)
        // Sparse traffic that can wait pays for few losses with few repair symbols, however late they arrive.
        let share =
            isSpare
            ? Self.spareRatio : isInteractive ? Self.largestRatio : min(5 * ratio, Self.largestRatio)
        credit = min(credit + Int(saturating: Double(length) * share), Self.largestCredit)
        return debt >= 1 || encoder.oldestCount == EncodingWindow.longest
    }

    /// Whether the path at `index` loses packets, and so far away that bulk traffic needs repair symbols.
    static func isNeeded(on index: Int, of paths: borrowing PathList, now: Instant) -> Bool {
        ratio(on: index, of: paths, isInteractive: false, now: now) > 0
    }

    /// Number of repair symbols needed per packet on the path at `index`; 0 if a retransmission would be in
    /// time.
    private static func ratio(
        on index: Int, of paths: borrowing PathList, isInteractive: Bool, now: Instant
    ) -> Double {
        let path = paths[index]
        let isNew = path.pointee.sent.next < Path.trial && path.pointee.rtt.isKnown
        guard isNew || path.pointee.randomLoss >= leastLoss else { return 0 }
        var fastest = path.pointee.rtt.minimum
        // A path that is in doubt for a moment counts: it will be there to repair. A path that stands by does
        // not.
        for i in 0..<paths.count
        where paths[i].pointee.use == .active || paths[i].pointee.use == .far
            || paths[i].pointee.role == path.pointee.role && paths[i].pointee.liveness.state == .suspect
        {
            fastest = min(fastest, paths[i].pointee.rtt.minimum)
        }
        // As in `repairDelay`, but without the wait in our own queues.
        let report = path.pointee.earlyReports.areUsual(now: now) ? fastest : path.pointee.rtt.minimum
        let repair = Path.repairTime(reportedBy: report, fastest: fastest)
        guard repair > (isInteractive ? latestInteractiveRepair : latestRepair) else { return 0 }
        var loss = path.pointee.randomLoss
        if isNew && fastest > latestRepair { loss = max(loss, assumedLoss) }
        return ratio(loss, window: wantedWindow)
    }

    private static func ratio(_ loss: Double, window: Int) -> Double {
        guard loss >= leastLoss else { return 0 }
        // The losses that a window has on average and three standard deviations more, which covers all but
        // one window in a thousand; and repair symbols are lost, too.
        let ratio = (loss + 3 * (loss / Double(window)).squareRoot()) / (1 - min(loss, 0.5))
        return min(ratio, largestRatio)
    }

    /// Takes out the oldest sum as a repair symbol with its frame's head in front, and begins the next sum.
    /// - Parameter sequence: the next packet's.
    /// - Returns: nil when there is none to send, or no credit.
    mutating func takeSymbol(
        before sequence: UInt64, pool: inout PacketPool, notes: borrowing PacketNotes, now: Instant
    ) -> (slot: Slot, length: Int)? {
        due = .never
        guard credit > 0, encoder.oldestCount > 0, let repair = encoder.takeOldest() else { return nil }
        debt = min(max(debt - 1, 0), 1)
        let length = pool.length(of: repair.slot)
        credit -= length + Wire.overhead
        // Windows grow or shrink until they have the wanted length.
        let wanted = isSpare ? Self.spareWindow : Self.wantedWindow
        let begun =
            if repair.window.count < wanted { 2 } else if repair.window.count > 2 * wanted && encoder.open > 0
            {
                0
            } else { 1 }
        for _ in 0..<begun { _ = encoder.begin(at: sequence, pool: &pool) }
        var note = PacketNotes.Note()
        note.sequence = sequence
        note.entered = now
        note.isRepairSymbol = true
        notes[repair.slot] = note
        RepairFrame(
            first: repair.window.first, count: UInt8(truncatingIfNeeded: repair.window.count),
            seed: repair.window.seed, symbolSize: length + Wire.shimSize
        ).writeHead(to: pool.packet(in: repair.slot, withPrefix: Wire.repairHeadSize + Wire.shimSize))
        return (repair.slot, length)
    }

    /// Discards all sums.
    mutating func stopSums(pool: inout PacketPool) {
        encoder.removeAll(pool: &pool)
        debt = 0
        due = .never
    }

    // MARK: - In

    /// Takes a repair symbol of the peer.
    /// - Parameter mayGrow: whether it may take another buffer.
    /// - Returns: whether it has.
    mutating func take(
        _ frame: RepairFrame, _ symbol: UnsafeRawBufferPointer, near sequence: UInt64, mayGrow: Bool,
        pool: inout PacketPool, now: Instant
    ) -> Bool {
        heardAt = now
        let window = EncodingWindow(
            first: frame.first(near: sequence), count: Int(frame.count), seed: frame.seed)
        let before = decoder.held
        decoder.take(symbol, of: window, mayGrow: mayGrow, pool: &pool)
        return decoder.held > before
    }

    /// Keeps a copy of a packet that arrived, for the sums that include it.
    /// - Parameter mayGrow: whether it may take another buffer.
    /// - Returns: whether it has.
    mutating func remember(
        _ slot: Slot, sequence: UInt64, mayGrow: Bool, pool: inout PacketPool, now: Instant
    ) -> Bool {
        guard decoder.isActive else { return false }
        guard now - heardAt < Self.rest else {
            decoder.removeAll(pool: &pool)
            return false
        }
        let before = decoder.held
        decoder.note(slot, sequence: sequence, mayGrow: mayGrow, pool: &pool)
        return decoder.held > before
    }

    /// The next packet that was recovered; nil when there is none.
    mutating func popRecovered() -> Decoder.Recovered? { decoder.popRecovered() }

    /// Releases all packets.
    mutating func removeAll(pool: inout PacketPool) {
        stopSums(pool: &pool)
        decoder.removeAll(pool: &pool)
    }
}
