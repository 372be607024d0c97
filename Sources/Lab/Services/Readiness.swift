import Glibc
import Runtime

/// Tells which descriptors have something, until they are closed.
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

    /// Watches a descriptor for something to read, or, with `changes`, for something new to read or new room to write.
    func add(_ fd: Int32, changes: Bool = false) {
        poller.watch(fd, UInt64(fd), for: changes ? .changes : .reading)
    }

    /// Waits for at most that long, and calls `body` with each descriptor that has something, and with epoll's bits.
    func wait(seconds: Double, _ body: (_ fd: Int32, _ kinds: UInt32) -> Void) {
        for index in 0..<poller.wait(nanoseconds: Int64(max(0, seconds) * 1e9)) {
            guard let event = poller.event(index) else { continue }
            body(Int32(truncatingIfNeeded: event.source), event.events)
        }
    }
}
