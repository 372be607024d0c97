import CLinux
import Packet

extension DataPlane {
    /// When there is something to do again without anything arriving.
    var nextDeadline: Instant {
        hasUnfinishedRead ? .zero : min(engine.nextDeadline(), engine.nextMemoryCheck)
    }

    /// Gives the kernel back what a load has left behind.
    mutating func giveBackMemory(now: Instant) {
        let hasFreed = engine.giveBackMemory(now: now, pageSize: clinux_page_size()) { pages in
            _ = clinux_give_back(pages.baseAddress, pages.count)
        }
        // The allocator keeps what lies between blocks in use; with a thousand sessions that is most of it.
        if hasFreed { clinux_trim_heap() }
    }
}
