import Packet

// Memory that is not needed any more.
extension Engine {
    /// How often memory is looked at while there may be some to give back.
    static var memoryInterval: Interval { .milliseconds(2500) }
    /// The buffers that it may always keep: half a megabyte.
    static var keptBuffers: Int { 256 }

    /// Has memory looked at in a while, when the slab has grown or a session has shrunk.
    mutating func watchMemory(now: Instant) {
        if nextMemoryCheck == .never && (resources.pool.reach > Self.keptBuffers || resources.hasFreed) {
            nextMemoryCheck = now + Self.memoryInterval
        }
    }

    /// Gives back what the slab has not needed since the last look: less than half of it was in use at any time. Does nothing
    /// before that look is due.
    /// - Parameters:
    ///   - pageSize: the kernel's, a power of two.
    ///   - giveBack: is given runs of whole pages, whose bytes nobody needs.
    /// - Returns: whether memory was freed besides that the allocator may still have.
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
    /// After so long without data none is under way any more, on any path.
    static var idleTime: Interval { .seconds(10) }

    /// Gives back the memory that only carrying data takes.
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
