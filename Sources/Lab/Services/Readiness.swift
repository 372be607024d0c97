import Glibc
import Runtime

/// An epoll instance (epoll(7)) that reports ready descriptors.
final class Readiness {
    private let poller: Poller<UInt64>

    /// Throws `system`.
    init() throws(LabError) {
        do throws(RuntimeError) {
            poller = try Poller(capacity: 512)
        } catch {
            throw .system(call: "epoll_create1", errno: error.code)
        }
    }

    /// Watches the descriptor until it is closed: level-triggered, or, with `changes`, edge-triggered for
    /// reading and writing.
    func add(_ fd: Int32, changes: Bool = false) {
        poller.watch(fd, UInt64(fd), for: changes ? .changes : .reading)
    }

    /// Waits for at most that long, and calls `body` with each ready descriptor and its events.
    func wait(seconds: Double, _ body: (_ fd: Int32, _ kinds: UInt32) -> Void) {
        for index in 0..<poller.wait(nanoseconds: Int64(max(0, seconds) * 1e9)) {
            guard let event = poller.event(index) else { continue }
            body(Int32(truncatingIfNeeded: event.source), event.events)
        }
    }
}
