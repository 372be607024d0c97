import CLinux
import Packet

extension Daemon {
    /// Gives the kernel back what a load has left behind.
    mutating func giveBackMemory(now: Instant) {
        engine.giveBackMemory(now: now, pageSize: clinux_page_size()) { pages in
            _ = clinux_give_back(pages.baseAddress, pages.count)
        }
    }
}
