import Glibc

/// A pool of equal buffers for Ethernet frames in flight. The kernel maps pages as they are first written, so a
/// lab whose links hold few frames takes little memory.
struct FrameSlab: ~Copyable {
    /// The size of a buffer: a frame of `LinkSpec.maximumMTU` and its Ethernet header fit.
    static let stride = 2048

    /// The number of buffers.
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

    /// Takes the buffer that was released last (its bytes are still in the cache); nil if all are in use.
    mutating func reserve() -> UInt32? {
        if freeCount == 0 { return nil }
        freeCount -= 1
        return free[freeCount]
    }

    /// Releases a buffer.
    mutating func release(_ frame: UInt32) {
        assert(freeCount < capacity, "released a frame twice")
        free[freeCount] = frame
        freeCount += 1
    }

    /// The `stride` bytes of a buffer.
    func room(_ frame: UInt32) -> UnsafeMutableRawPointer { bytes + Int(frame) * Self.stride }
    /// The length of the frame in a buffer.
    func length(_ frame: UInt32) -> Int { Int(lengths[Int(frame)]) }
    /// Sets the length of the frame in a buffer.
    mutating func setLength(_ length: Int, _ frame: UInt32) { lengths[Int(frame)] = UInt16(length) }
}
