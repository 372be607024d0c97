import Glibc

/// A slab of equal buffers for Ethernet frames in flight. The kernel hands out pages as they are first written, so a
/// lab whose links hold little costs little.
struct FrameSlab: ~Copyable {
    /// Bytes of a buffer: a frame of `LinkSpec.maximumMTU` and its Ethernet header fit.
    static let stride = 2048

    /// How many buffers there are.
    let capacity: Int
    private let bytes: UnsafeMutableRawPointer
    private let lengths: UnsafeMutablePointer<UInt16>
    private let free: UnsafeMutablePointer<UInt32>
    private var freeCount: Int

    /// As many buffers as fit into `memory` bytes.
    init(memory: Int) {
        capacity = max(memory / Self.stride, 1)
        bytes = .allocate(byteCount: capacity * Self.stride, alignment: 4096)
        lengths = .allocate(capacity: capacity)
        lengths.initialize(repeating: 0, count: capacity)
        free = .allocate(capacity: capacity)
        for i in 0..<capacity { free[i] = UInt32(capacity - 1 - i) }
        freeCount = capacity
    }

    deinit {
        bytes.deallocate()
        lengths.deallocate()
        free.deallocate()
    }

    /// Takes the buffer that was given back last (its bytes are still in the cache), or nil when all are in use.
    mutating func reserve() -> UInt32? {
        if freeCount == 0 { return nil }
        freeCount -= 1
        return free[freeCount]
    }

    /// Gives a buffer back.
    mutating func release(_ frame: UInt32) {
        assert(freeCount < capacity, "released a frame twice")
        free[freeCount] = frame
        freeCount += 1
    }

    /// The `stride` bytes of a buffer.
    func room(_ frame: UInt32) -> UnsafeMutableRawPointer { bytes + Int(frame) * Self.stride }
    /// How long the frame in a buffer is.
    func length(_ frame: UInt32) -> Int { Int(lengths[Int(frame)]) }
    /// Notes how long the frame in a buffer is.
    mutating func setLength(_ length: Int, _ frame: UInt32) { lengths[Int(frame)] = UInt16(length) }
}
