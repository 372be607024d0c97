import CLinux
import Packet

extension DataPlane {
    /// When the plane has work even if nothing arrives.
    var nextDeadline: Instant {
        hasUnfinishedRead ? .zero : min(engine.nextDeadline(), engine.nextMemoryCheck)
    }

    /// Returns memory to the kernel after a load.
    mutating func giveBackMemory(now: Instant) {
        let hasFreed = engine.giveBackMemory(now: now, pageSize: clinux_page_size()) { pages in
            _ = clinux_give_back(pages.baseAddress, pages.count)
        }
        // The allocator keeps free memory between blocks in use; with a thousand sessions that is most of it.
        if hasFreed { clinux_trim_heap() }
    }
}
