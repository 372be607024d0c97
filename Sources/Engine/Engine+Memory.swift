import Packet

// Releasing memory that is no longer needed.
extension Engine {
    /// How often to check while there may be memory to release.
    static var memoryInterval: Interval { .milliseconds(2500) }
    /// Number of buffers that are always kept: half a megabyte.
    static var keptBuffers: Int { 256 }

    /// Schedules a check if the slab has grown or a session has shrunk.
    mutating func watchMemory(now: Instant) {
        if nextMemoryCheck == .never && (resources.pool.reach > Self.keptBuffers || resources.hasFreed) {
            nextMemoryCheck = now + Self.memoryInterval
        }
    }

    /// Releases slab memory that was not needed since the last check: that is, if less than half of the slab
    /// was in use at any time. Does nothing before the check is due.
    /// - Parameters:
    ///   - pageSize: the kernel's page size, a power of two.
    ///   - giveBack: receives runs of whole pages whose contents are no longer needed.
    /// - Returns: whether other memory was freed that the allocator may still hold.
    public mutating func giveBackMemory(
        now: Instant, pageSize: Int, _ giveBack: (UnsafeMutableRawBufferPointer) -> Void
    ) -> Bool {
        guard now >= nextMemoryCheck else { return false }
        let hasFreed = resources.hasFreed
        resources.hasFreed = false
        if resources.pool.peak < resources.pool.reach / 2 {
            resources.pool.shrink(pageSize: pageSize, giveBack)
            resources.deliveries.shrink()
        } else {
            resources.pool.resetPeak()
        }
        nextMemoryCheck = .never
        watchMemory(now: now)
        return hasFreed
    }
}

extension Session {
    /// After this long without data no datagram can be in flight on any path.
    static var idleTime: Interval { .seconds(10) }

    /// Releases the memory that is needed only to carry data.
    mutating func shrink(_ resources: inout Resources) {
        hasGrown = false
        resources.hasFreed = true
        sendQueue.shrink()
        delivery.shrink()
        correction.removeAll(pool: &resources.pool)
        flows.forget()
        for i in 0..<paths.count {
            paths[i].pointee.queue.shrink()
            paths[i].pointee.urgent.shrink()
            paths[i].pointee.sent.shrink()
        }
    }
}
