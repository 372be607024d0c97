import Packet

/// The receiver's end of the code: recovers lost packets from repair symbols and the packets that arrived.
///
/// A repair symbol is one linear equation in the symbols of its window. It waits until no more of them are
/// missing than there are equations, and costs nothing if none is: only then are the symbols that arrived
/// multiplied and subtracted. Symbols and repair symbols may arrive in any order. All memory comes from the
/// pool, but never its last eighth.
///
/// Work is bounded by the bytes that arrive, whatever the peer sends: each byte earns a credit of `allowance`
/// bytes of multiplication, and every multiplication, look-up and step of the elimination is paid for in
/// advance. Work that exceeds the credit waits for more credit, or is given up.
public struct Decoder: ~Copyable {
    /// Maximum number of repair symbols that wait for missing packets. They arrive by the fastest path, and
    /// 100 a second may have to wait for packets on a path that is 300 ms slower.
    public static let maximumWaiting = 32
    /// Bytes of multiplication earned per byte received: four times the work caused by an honest sender, half
    /// of whose repair symbols are used.
    static let allowance = 16
    /// Maximum credit in bytes: 4096 multiplications of a packet of 1500 bytes.
    static let largestCredit = 4096 * 1500
    /// Bytes of a datagram in addition to the symbol: header and tag.
    static let datagramOverhead = 40
    /// Cost of looking up a symbol, in bytes multiplied.
    static let lookUpCost = 2

    /// A recovered packet.
    public struct Recovered: Sendable {
        /// The packet's sequence.
        public let sequence: UInt64
        /// The packet, padded with zeros to the length of the longest in its window: its own header says how
        /// long it is.
        public let slot: Slot
    }

    /// A waiting repair symbol.
    struct Equation {
        var window: EncodingWindow
        var slot: Slot
        /// Number of symbols of the window that have not arrived.
        var missing: Int
        /// Bytes of the symbols that have arrived: the work of subtracting them.
        var present: Int
        /// Whether the symbols that arrived have been subtracted; later ones are then subtracted at once.
        var isReduced = false
    }

    var sources = SourceSymbols()
    private let pinned = Pinned()
    let prefix: Int
    let equations: UnsafeMutablePointer<Equation>
    var waiting = 0
    let recovered: UnsafeMutablePointer<Recovered>
    var recoveredCount = 0
    private(set) var credit = Self.largestCredit
    /// Bytes multiplied since the decoder was made, with other work expressed in the same unit.
    private(set) var work: UInt64 = 0
    var system = LinearSystem()
    /// Whether, since the last attempt, some equations may have come to have no more unknowns than there are
    /// equations.
    var mayBeSolvable = false
    /// Minimum credit for another attempt, after the last one failed for lack of it.
    var neededCredit = 0

    /// A decoder whose symbols begin `prefix` bytes before the packet.
    public init(prefix: Int) {
        self.prefix = prefix
        equations = .allocate(capacity: Self.maximumWaiting)
        recovered = .allocate(capacity: Self.maximumWaiting)
    }

    deinit {
        equations.deallocate()
        recovered.deallocate()
    }

    /// Whether the peer has sent repair symbols lately.
    public var isActive: Bool { sources.isActive }

    /// Number of buffers held.
    public var held: Int { sources.count + waiting + recoveredCount }

    /// Copies the packet in `slot`, which has arrived, while the peer sends repair symbols.
    /// - Parameter mayGrow: whether there is memory for it; otherwise the two oldest symbols are forgotten to
    ///   make room.
    public mutating func note(
        _ slot: Slot, sequence: UInt64, mayGrow: Bool = true, pool: inout PacketPool
    ) {
        guard isActive else { return }
        earn(pool.length(of: slot) + prefix)
        if !mayGrow {
            for _ in 0..<2 { sources.removeOldest(pool: &pool) }
            removeStale(&pool)
        }
        guard let copy = copy(of: slot, &pool) else { return }
        guard insert(copy, sequence: sequence, pool: &pool) else {
            pool.release(copy)
            return
        }
        solveIfPossible(&pool)
    }

    /// Takes a repair symbol: the `symbol` of `window`. An invalid one is ignored. The caller passes at most
    /// one per datagram, because an honest sender puts in no more.
    /// - Parameter mayGrow: whether there is memory for it; otherwise the oldest repair symbol is forgotten
    ///   to make room.
    public mutating func take(
        _ symbol: UnsafeRawBufferPointer, of window: EncodingWindow, mayGrow: Bool = true,
        pool: inout PacketPool
    ) {
        guard window.count > 0, window.count <= EncodingWindow.longest, window.first < 1 << 62,
            symbol.count > prefix, symbol.count - prefix <= PacketPool.maximumPacket
        else { return }
        earn(symbol.count)
        sources.activate(poolCapacity: pool.capacity)
        if window.first < sources.bottom { sources.grow(poolCapacity: pool.capacity) }
        guard window.first >= sources.bottom, window.end <= sources.top + sources.span else { return }
        for i in 0..<waiting where equations[i].window == window { return }
        guard spend(window.count * Self.lookUpCost) else { return }
        var missing = 0
        var present = 0
        var sequence = window.first
        while sequence < window.end {
            let slot = sources.find(sequence)
            if slot == .none { missing += 1 } else { present += pool.length(of: slot) + prefix }
            sequence += 1
        }
        guard missing > 0, Self.hasRoom(pool) else { return }
        let slot = pool.reserve()
        guard slot != .none else { return }
        pool.setLength(symbol.count - prefix, of: slot)
        pool.packet(in: slot, withPrefix: prefix).copyMemory(from: symbol)
        if waiting == Self.maximumWaiting || !mayGrow && waiting > 0 { remove(0, &pool) }
        (equations + waiting)
            .initialize(to: Equation(window: window, slot: slot, missing: missing, present: present))
        waiting += 1
        if completes(waiting - 1) { mayBeSolvable = true }
        solveIfPossible(&pool)
    }

    /// Takes the next recovered packet; `nil` if there is none. The caller owns the slot.
    public mutating func popRecovered() -> Recovered? {
        guard recoveredCount > 0 else { return nil }
        let first = recovered[0]
        recoveredCount -= 1
        for i in 0..<recoveredCount { recovered[i] = recovered[i + 1] }
        return first
    }

    /// Forgets everything until repair symbols arrive again.
    public mutating func removeAll(pool: inout PacketPool) {
        sources.removeAll(pool: &pool)
        while waiting > 0 { remove(waiting - 1, &pool) }
        while let packet = popRecovered() { pool.release(packet.slot) }
        mayBeSolvable = false
        neededCredit = 0
    }

    /// Symbols that wait for repairs must not take the last buffers, which new packets need. The caller
    /// decides how many of the other buffers a decoder may have: another session that holds many is not a
    /// reason to repair nothing here.
    static func hasRoom(_ pool: borrowing PacketPool) -> Bool {
        pool.inUse < pool.capacity - pool.capacity / 8
    }

    /// A datagram has brought a symbol of `bytes`.
    private mutating func earn(_ bytes: Int) {
        credit = min(credit + (bytes + Self.datagramOverhead) * Self.allowance, Self.largestCredit)
    }

    /// Pays for work; returns false if the credit does not cover it.
    mutating func spend(_ bytes: Int) -> Bool {
        guard credit >= bytes else { return false }
        credit -= bytes
        work += UInt64(bytes)
        return true
    }

    private mutating func solveIfPossible(_ pool: inout PacketPool) {
        if mayBeSolvable && credit >= neededCredit { solve(&pool) }
    }

    /// Whether the equation at `index`, which is new or has just lost an unknown, may be the missing one.
    ///
    /// The unknowns of some equations are determined as soon as there are as many equations as unknowns. Take
    /// the smallest set of equations for which that is true: each of them has no more unknowns than there are
    /// equations that overlap it. For the equations that lie wholly on one side of it number fewer than their
    /// unknowns, or they would have been enough by themselves.
    private func completes(_ index: Int) -> Bool {
        let equation = equations[index]
        guard equation.missing <= LinearSystem.size else { return false }
        var overlapping = 0
        for i in 0..<waiting where equations[i].window.overlaps(equation.window) { overlapping += 1 }
        return equation.missing <= overlapping
    }

    /// Adds an available symbol and updates the equations; returns false if it was there already or is too
    /// old.
    mutating func insert(_ slot: Slot, sequence: UInt64, pool: inout PacketPool) -> Bool {
        guard sources.insert(slot, sequence: sequence, pool: &pool) else { return false }
        removeStale(&pool)
        var i = 0
        while i < waiting {
            let equation = equations + i
            if equation.pointee.window.contains(sequence) {
                equation.pointee.missing -= 1
                let length = pool.length(of: slot) + prefix
                // An equation that is not kept up to date is worthless.
                guard equation.pointee.missing > 0, !equation.pointee.isReduced || spend(length) else {
                    remove(i, &pool)
                    continue
                }
                if equation.pointee.isReduced {
                    subtract(slot, sequence, from: equation, &pool)
                } else {
                    equation.pointee.present += length
                }
            }
            i += 1
        }
        for i in 0..<waiting where !mayBeSolvable && equations[i].window.contains(sequence) {
            mayBeSolvable = completes(i)
        }
        return true
    }

    /// Removes equations one of whose symbols may have been available and is no longer.
    private mutating func removeStale(_ pool: inout PacketPool) {
        var i = 0
        while i < waiting {
            if equations[i].window.first < sources.bottom { remove(i, &pool) } else { i += 1 }
        }
    }

    /// Subtracts a known symbol from an equation's sum.
    func subtract(
        _ slot: Slot, _ sequence: UInt64, from equation: UnsafeMutablePointer<Equation>,
        _ pool: inout PacketPool
    ) {
        let sum = pool.packet(in: equation.pointee.slot, withPrefix: prefix)
        let symbol = pool.packet(in: slot, withPrefix: prefix)
        // A symbol longer than the sum was not in it: the peer lied, and gets garbage.
        let length = min(symbol.count, sum.count)
        GaloisField.add(
            equation.pointee.window.coefficient(of: sequence),
            times: UnsafeRawBufferPointer(symbol.slice(0, length)), to: sum)
    }

    func copy(of slot: Slot, _ pool: inout PacketPool) -> Slot? {
        guard Self.hasRoom(pool) else { return nil }
        let copy = pool.reserve()
        guard copy != .none else { return nil }
        pool.setLength(pool.length(of: slot), of: copy)
        pool.packet(in: copy, withPrefix: prefix)
            .copyMemory(from: UnsafeRawBufferPointer(pool.packet(in: slot, withPrefix: prefix)))
        return copy
    }

    mutating func remove(_ index: Int, _ pool: inout PacketPool) {
        pool.release(equations[index].slot)
        waiting -= 1
        for i in index..<waiting { equations[i] = equations[i + 1] }
    }
}
