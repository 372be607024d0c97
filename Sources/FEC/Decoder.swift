import Packet

/// The receiver's end of the code: puts the packets that were lost together from repair symbols and those that were not.
///
/// A repair symbol is one linear equation in the symbols of its window. It waits until no more of them are missing than there are
/// equations, and costs nothing when none is: only then what has arrived is multiplied and subtracted. Symbols and repair
/// symbols may come in any order. All memory is the pool's, but never its last eighth.
///
/// Work is bounded by the bytes that arrive, whatever the peer sends: each byte earns a credit of `allowance` bytes to be
/// multiplied, and every multiplication, every look-up and every step of the elimination is paid for in advance. What the
/// credit does not cover waits for more, or is given up.
public struct Decoder: ~Copyable {
    /// The most repair symbols that wait for missing packets. They come by the fastest path, and 100 in a second have to wait
    /// for what a path brings that is 300 ms longer.
    public static let maximumWaiting = 32
    /// Bytes of multiplication that each byte earns that arrives: four times what an honest sender causes, half of whose repair
    /// symbols are used.
    static let allowance = 16
    /// The most credit that is saved up, in bytes: 4096 multiplications of a packet of 1500 bytes.
    static let largestCredit = 4096 * 1500
    /// Bytes of a datagram around a symbol: header and tag.
    static let datagramOverhead = 40
    /// A look-up of a symbol takes as long as the multiplication of so many bytes.
    static let lookUpCost = 2

    /// A packet that was put together.
    public struct Recovered: Sendable {
        /// The packet's sequence.
        public let sequence: UInt64
        /// The packet, as long as the longest of its window: it says itself how long it is, and zeros follow.
        public let slot: Slot
    }

    /// A repair symbol that waits.
    struct Equation {
        var window: EncodingWindow
        var slot: Slot
        /// How many of the window's symbols are not here.
        var missing: Int
        /// Bytes of those that are here: the work of subtracting them.
        var present: Int
        /// Whether those that are here have been subtracted; what comes then is subtracted at once.
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
    /// Bytes multiplied, and what else was done in terms of them, since the decoder was made.
    private(set) var work: UInt64 = 0
    var system = LinearSystem()
    /// Whether some equations may have as few unknowns as there are of them since they were last tried.
    var mayBeSolvable = false
    /// The credit without which the last try came to nothing, and another would.
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

    /// How many buffers it holds.
    public var held: Int { sources.count + waiting + recoveredCount }

    /// Takes a copy of the packet in `slot`, which has arrived, while the peer sends repair symbols.
    /// - Parameter mayGrow: whether there is memory for it; otherwise the two oldest are forgotten for it.
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

    /// Takes a repair symbol: the `symbol` of `window`. One that makes no sense is ignored. The caller brings no more than one of a
    /// datagram: an honest sender puts no more in.
    /// - Parameter mayGrow: whether there is memory for it; otherwise the oldest repair symbol is forgotten for it.
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

    /// Takes the next packet that was put together; nil when there is none. The slot is the caller's.
    public mutating func popRecovered() -> Recovered? {
        guard recoveredCount > 0 else { return nil }
        let first = recovered[0]
        recoveredCount -= 1
        for i in 0..<recoveredCount { recovered[i] = recovered[i + 1] }
        return first
    }

    /// Forgets everything, until repair symbols come again.
    public mutating func removeAll(pool: inout PacketPool) {
        sources.removeAll(pool: &pool)
        while waiting > 0 { remove(waiting - 1, &pool) }
        while let packet = popRecovered() { pool.release(packet.slot) }
        mayBeSolvable = false
        neededCredit = 0
    }

    /// What waits for repairs must not take the last buffers, which new packets need. How many of the others it may have is the
    /// caller's to say: that somebody else holds many is no reason to repair nothing here.
    static func hasRoom(_ pool: borrowing PacketPool) -> Bool {
        pool.inUse < pool.capacity - pool.capacity / 8
    }

    /// A datagram has brought a symbol of so many bytes.
    private mutating func earn(_ bytes: Int) {
        credit = min(credit + (bytes + Self.datagramOverhead) * Self.allowance, Self.largestCredit)
    }

    /// Pays for work; false when the credit does not cover it.
    mutating func spend(_ bytes: Int) -> Bool {
        guard credit >= bytes else { return false }
        credit -= bytes
        work += UInt64(bytes)
        return true
    }

    private mutating func solveIfPossible(_ pool: inout PacketPool) {
        if mayBeSolvable && credit >= neededCredit { solve(&pool) }
    }

    /// Whether the equation at `index`, which is new or has just lost an unknown, may be the one that was wanted.
    ///
    /// The unknowns of some equations are determined as soon as there are as many equations as unknowns. Take the fewest
    /// equations of which that is true: each has no more unknowns than equations overlap it. For those that lie wholly on one
    /// side of it are fewer than their unknowns, or they would have been enough by themselves.
    private func completes(_ index: Int) -> Bool {
        let equation = equations[index]
        guard equation.missing <= LinearSystem.size else { return false }
        var overlapping = 0
        for i in 0..<waiting where equations[i].window.overlaps(equation.window) { overlapping += 1 }
        return equation.missing <= overlapping
    }

    /// Puts a symbol among those that are here, and tells the equations; false when it was there, or is too old.
    mutating func insert(_ slot: Slot, sequence: UInt64, pool: inout PacketPool) -> Bool {
        guard sources.insert(slot, sequence: sequence, pool: &pool) else { return false }
        removeStale(&pool)
        var i = 0
        while i < waiting {
            let equation = equations + i
            if equation.pointee.window.contains(sequence) {
                equation.pointee.missing -= 1
                let length = pool.length(of: slot) + prefix
                // One that is not kept up to date is worth nothing any more.
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

    /// Removes the equations of which a symbol may have been here and is no more.
    private mutating func removeStale(_ pool: inout PacketPool) {
        var i = 0
        while i < waiting {
            if equations[i].window.first < sources.bottom { remove(i, &pool) } else { i += 1 }
        }
    }

    /// Takes what is known out of an equation's sum.
    func subtract(
        _ slot: Slot, _ sequence: UInt64, from equation: UnsafeMutablePointer<Equation>,
        _ pool: inout PacketPool
    ) {
        let sum = pool.packet(in: equation.pointee.slot, withPrefix: prefix)
        let symbol = pool.packet(in: slot, withPrefix: prefix)
        // A symbol that is longer than the sum was not in it: the peer lies, and gets nonsense.
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
