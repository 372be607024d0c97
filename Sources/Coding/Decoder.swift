import Packet

/// The receiver's end of the code: puts the packets that were lost together from repair symbols and those that were not.
///
/// A repair symbol is one linear equation in the symbols of its window. It waits until no more of them are missing than there are
/// equations, and costs nothing when none is: only then what has arrived is multiplied and subtracted. Symbols and repair
/// symbols may come in any order. All memory is the pool's, and no more than half of that; how much is computed is bounded by
/// how much arrives, whatever the peer sends.
public struct Decoder: ~Copyable {
    /// The most repair symbols that wait for missing packets. They come by the fastest path, and 100 in a second have to wait
    /// for what a path brings that is 300 ms longer.
    public static let maximumWaiting = 32
    /// The most multiplications of a symbol that one datagram earns, and that may be saved up: four times what an honest sender
    /// causes who has half of his repair symbols used.
    static let allowance = 16
    static let largestAllowance = 4096

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
        /// Whether those that are here have been subtracted; what comes then is subtracted at once.
        var isReduced = false
    }

    var sources = SourceSymbols()
    let prefix: Int
    let equations: UnsafeMutablePointer<Equation>
    var waiting = 0
    let recovered: UnsafeMutablePointer<Recovered>
    var recoveredCount = 0
    var credit = Self.largestAllowance
    var system = LinearSystem()

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

    /// Takes a copy of the packet in `slot`, which has arrived, while the peer sends repair symbols.
    public mutating func note(_ slot: Slot, sequence: UInt64, pool: inout PacketPool) {
        guard isActive else { return }
        credit = min(credit + Self.allowance, Self.largestAllowance)
        guard let copy = copy(of: slot, &pool) else { return }
        guard insert(copy, sequence: sequence, pool: &pool) else {
            pool.release(copy)
            return
        }
        if mayBeSolvable { solve(&pool) }
    }

    /// Takes a repair symbol: the `symbol` of `window`. One that makes no sense is ignored.
    public mutating func take(
        _ symbol: UnsafeRawBufferPointer, of window: EncodingWindow, pool: inout PacketPool
    ) {
        guard window.count > 0, window.count <= EncodingWindow.longest, window.first < 1 << 62,
            symbol.count > prefix, symbol.count - prefix <= PacketPool.maximumPacket
        else { return }
        credit = min(credit + Self.allowance, Self.largestAllowance)
        sources.activate(poolCapacity: pool.capacity)
        guard window.first >= sources.bottom, window.end <= sources.top + sources.span else { return }
        for i in 0..<waiting where equations[i].window == window { return }
        var missing = 0
        var sequence = window.first
        while sequence < window.end {
            if sources.find(sequence) == .none { missing += 1 }
            sequence += 1
        }
        guard missing > 0, Self.hasRoom(pool) else { return }
        let slot = pool.reserve()
        guard slot != .none else { return }
        pool.setLength(symbol.count - prefix, of: slot)
        pool.packet(in: slot, withPrefix: prefix).copyMemory(from: symbol)
        if waiting == Self.maximumWaiting { remove(0, &pool) }
        (equations + waiting).initialize(to: Equation(window: window, slot: slot, missing: missing))
        waiting += 1
        if mayBeSolvable { solve(&pool) }
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
    }

    /// What waits for repairs must not take what new packets need.
    static func hasRoom(_ pool: borrowing PacketPool) -> Bool { pool.inUse < pool.capacity / 2 }

    /// Whether an equation has so few unknowns that the others might be enough for them.
    private var mayBeSolvable: Bool {
        let most = min(waiting, LinearSystem.size)
        for i in 0..<waiting where equations[i].missing <= most { return true }
        return false
    }

    /// Puts a symbol among those that are here, and tells the equations; false when it was there, or is too old.
    mutating func insert(_ slot: Slot, sequence: UInt64, pool: inout PacketPool) -> Bool {
        guard sources.insert(slot, sequence: sequence, pool: &pool) else { return false }
        var i = 0
        while i < waiting {
            let equation = equations + i
            if equation.pointee.window.first < sources.bottom {
                remove(i, &pool)
                continue
            }
            if equation.pointee.window.contains(sequence) {
                equation.pointee.missing -= 1
                if equation.pointee.missing == 0 {
                    remove(i, &pool)
                    continue
                }
                if equation.pointee.isReduced { subtract(slot, sequence, from: equation, &pool) }
            }
            i += 1
        }
        return true
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
