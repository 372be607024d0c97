import Packet

/// The sender's end of a sliding-window random linear code over GF(2⁸) (after RFC 8681): sums of the last packets, each of
/// which can stand in for one packet that was lost.
///
/// Sums are kept running: a packet is added to those that are open when it gets its sequence, and need not be kept for it. They
/// were opened one after the other, so the windows of the repair symbols overlap. A symbol is a packet with the bytes of
/// headroom before it; a shorter one counts as if it were followed by zeros.
public struct Encoder: ~Copyable {
    /// The most sums that are open at once, each of which costs every packet a multiplication.
    public static let maximumOpen = 8

    /// A repair symbol: the sum in `slot`, of which the caller becomes the owner, and what it is made of.
    public struct Repair: Sendable {
        /// The sum, with as much before the packet's place as the symbols have.
        public let slot: Slot
        /// What was summed up.
        public fileprivate(set) var window: EncodingWindow
    }

    /// How many sums are open.
    public private(set) var open = 0

    /// Bytes of headroom that belong to a symbol.
    private let prefix: Int
    private let sums: UnsafeMutablePointer<Repair>
    private var seed: UInt8 = 0

    /// An encoder whose symbols begin `prefix` bytes before the packet.
    public init(prefix: Int) {
        self.prefix = prefix
        sums = .allocate(capacity: Self.maximumOpen)
    }

    deinit { sums.deallocate() }

    /// How many packets the oldest sum has.
    public var oldestCount: Int { open == 0 ? 0 : sums[0].window.count }

    /// Begins another sum, of packets from `first` on; false when there are enough, or no memory.
    public mutating func begin(at first: UInt64, pool: inout PacketPool) -> Bool {
        guard open < Self.maximumOpen else { return false }
        let slot = pool.reserve()
        guard slot != .none else { return false }
        pool.room(of: slot, withPrefix: prefix).slice(0, prefix)
            .initializeMemory(as: UInt8.self, repeating: 0)
        seed &+= 1
        (sums + open).initialize(
            to: Repair(slot: slot, window: EncodingWindow(first: first, count: 0, seed: seed)))
        open += 1
        return true
    }

    /// Adds the packet in `slot` to all sums. Packets come one after the other, without a gap in their sequences.
    public mutating func add(_ slot: Slot, sequence: UInt64, pool: inout PacketPool) {
        let length = pool.length(of: slot)
        var i = 0
        while i < open {
            let sum = sums + i
            guard sequence == sum.pointee.window.end, sum.pointee.window.count < EncodingWindow.longest else {
                // The caller has let it grow too long: it would be of no use.
                pool.release(sum.pointee.slot)
                remove(i)
                continue
            }
            extend(sum.pointee.slot, to: length, pool: &pool)
            GaloisField.add(
                sum.pointee.window.coefficient(of: sequence),
                times: UnsafeRawBufferPointer(pool.packet(in: slot, withPrefix: prefix)),
                to: pool.packet(in: sum.pointee.slot, withPrefix: prefix))
            sum.pointee.window.count += 1
            i += 1
        }
    }

    /// Takes the oldest sum, which is a repair symbol now; nil when it has no packets, or there is none.
    public mutating func takeOldest() -> Repair? {
        guard open > 0, sums[0].window.count > 0 else { return nil }
        let oldest = sums[0]
        remove(0)
        return oldest
    }

    /// Gives up all sums.
    public mutating func removeAll(pool: inout PacketPool) {
        for i in 0..<open { pool.release(sums[i].slot) }
        open = 0
    }

    private mutating func remove(_ index: Int) {
        open -= 1
        for i in index..<open { sums[i] = sums[i + 1] }
    }

    /// Makes a sum as long as the longest packet in it.
    private func extend(_ slot: Slot, to length: Int, pool: inout PacketPool) {
        let old = pool.length(of: slot)
        guard length > old else { return }
        pool.room(of: slot).slice(old, length - old).initializeMemory(as: UInt8.self, repeating: 0)
        pool.setLength(length, of: slot)
    }
}
