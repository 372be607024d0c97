import Packet

/// The sender's end of a sliding-window random linear code over GF(2⁸) (after RFC 8681): sums of the last
/// packets, each of which can replace one lost packet.
///
/// The sums are running sums: a packet is added to all open ones when it gets its sequence, and need not be
/// kept. They are opened one after the other, so the windows of the repair symbols overlap. A symbol is a
/// packet with the bytes of headroom before it; a shorter one counts as if it were padded with zeros.
public struct Encoder: ~Copyable {
    /// Maximum number of open sums, each of which costs one multiplication per packet.
    public static let maximumOpen = 8

    /// A repair symbol: the sum in `slot`, which the caller owns from then on, and its window.
    public struct Repair: Sendable {
        /// The sum, with the same number of bytes before the packet's place as in the symbols.
        public let slot: Slot
        /// The symbols that were summed.
        public fileprivate(set) var window: EncodingWindow
    }

    /// Number of open sums.
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

    /// Number of packets in the oldest sum.
    public var oldestCount: Int { open == 0 ? 0 : sums[0].window.count }

    /// Opens another sum, of packets from `first` on; returns false if enough are open or memory is out.
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

    /// Adds the packet in `slot` to all sums. Packets must come in order, without gaps in their sequences.
    public mutating func add(_ slot: Slot, sequence: UInt64, pool: inout PacketPool) {
        let length = pool.length(of: slot)
        var i = 0
        while i < open {
            let sum = sums + i
            guard sequence == sum.pointee.window.end, sum.pointee.window.count < EncodingWindow.longest else {
                // The caller has let it grow too long to be of use.
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

    /// Takes the oldest sum, which is now a repair symbol; `nil` if it has no packets or there is none.
    public mutating func takeOldest() -> Repair? {
        guard open > 0, sums[0].window.count > 0 else { return nil }
        let oldest = sums[0]
        remove(0)
        return oldest
    }

    /// Discards all sums.
    public mutating func removeAll(pool: inout PacketPool) {
        for i in 0..<open { pool.release(sums[i].slot) }
        open = 0
    }

    private mutating func remove(_ index: Int) {
        open -= 1
        for i in index..<open { sums[i] = sums[i + 1] }
    }

    /// Extends a sum to the length of the longest packet in it.
    private func extend(_ slot: Slot, to length: Int, pool: inout PacketPool) {
        let old = pool.length(of: slot)
        guard length > old else { return }
        pool.room(of: slot).slice(old, length - old).initializeMemory(as: UInt8.self, repeating: 0)
        pool.setLength(length, of: slot)
    }
}
