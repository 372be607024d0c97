import CLinux
import Glibc

/// An epoll instance (epoll(7)) that reports ready descriptors.
final class Readiness {
    private let epoll: Int32
    private let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
    private static let capacity = 512

    /// Throws `system`.
    init() throws(LabError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw .system(call: "epoll_create1", errno: errno) }
    }

    deinit {
        close(epoll)
        events.deallocate()
    }

    /// Watches the descriptor until it is closed: level-triggered, or, with `changes`, edge-triggered for
    /// reading and writing.
    func add(_ fd: Int32, changes: Bool = false) {
        let kinds = EPOLLIN.rawValue | (changes ? EPOLLOUT.rawValue | EPOLLET.rawValue : 0)
        var event = epoll_event(events: kinds, data: epoll_data_t(fd: fd))
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)
    }

    /// Waits for at most that long, and calls `body` with each ready descriptor and its events.
    func wait(seconds: Double, _ body: (_ fd: Int32, _ kinds: UInt32) -> Void) {
        let count = lab_epoll_wait(epoll, events, Int32(Self.capacity), Int64(max(0, seconds) * 1e9))
        for index in 0..<max(0, Int(count)) { body(events[index].data.fd, events[index].events) }
    }
}
