/// The frames waiting in a queue whose depth is in bytes: their total size, and when each leaves.
struct Backlog: Sendable {
    /// Bytes waiting.
    private(set) var bytes = 0
    private var ring: [(departure: UInt64, bytes: Int)] = []
    private var first = 0
    private var count = 0

    /// Forgets the frames that have left by `now`.
    mutating func drain(by now: UInt64) {
        while count > 0, ring[first].departure <= now {
            bytes -= ring[first].bytes
            first = (first + 1) & (ring.count - 1)
            count -= 1
        }
    }

    /// Appends a frame.
    mutating func append(_ size: Int, departure: UInt64) {
        if count == ring.count { grow() }
        ring[(first + count) & (ring.count - 1)] = (departure, size)
        count += 1
        bytes += size
    }

    private mutating func grow() {
        var larger = [(departure: UInt64, bytes: Int)](
            repeating: (0, 0), count: max(ring.count * 2, 64))
        for i in 0..<count { larger[i] = ring[(first + i) & (ring.count - 1)] }
        ring = larger
        first = 0
    }
}
