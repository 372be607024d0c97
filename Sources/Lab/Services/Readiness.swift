import CLinux
import Glibc

/// An epoll instance (epoll(7)) that tells which descriptors have something.
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

    /// Tells of the descriptor from now on, until it is closed: whenever there is something, or, with `changes`, when there is
    /// something new to read or room to write.
    func add(_ fd: Int32, changes: Bool = false) {
        let kinds = EPOLLIN.rawValue | (changes ? EPOLLOUT.rawValue | EPOLLET.rawValue : 0)
        var event = epoll_event(events: kinds, data: epoll_data_t(fd: fd))
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)
    }

    /// Waits for at most that long, and calls `body` with each that has something, and with what.
    func wait(seconds: Double, _ body: (_ fd: Int32, _ kinds: UInt32) -> Void) {
        let count = lab_epoll_wait(epoll, events, Int32(Self.capacity), Int64(max(0, seconds) * 1e9))
        for index in 0..<max(0, Int(count)) { body(events[index].data.fd, events[index].events) }
    }
}
