import CLinux
import Glibc
import Packet

/// epoll. Sockets that bytes pass through are watched edge-triggered for both directions, once: what they are ready for is
/// remembered, and parking one is not reading it.
struct Poller: ~Copyable {
    private let epoll: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    private static let batch = 256

    init() throws(RelayError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw .kernel("make an epoll", errno: errno) }
        events = .allocate(capacity: Self.batch)
    }

    deinit {
        close(epoll)
        events.deallocate()
    }

    /// Watches a descriptor for reading, for as long as there is something to read.
    borrowing func watchReading(_ descriptor: Int32, _ token: Token) -> Bool {
        control(EPOLL_CTL_ADD, descriptor, EPOLLIN.rawValue, token)
    }

    /// Watches a connected socket for what changes, in either direction.
    borrowing func watchChanges(_ descriptor: Int32, _ token: Token) -> Bool {
        let events = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        return control(EPOLL_CTL_ADD, descriptor, events, token)
    }

    /// Watches a descriptor for just what is asked for; for nothing more when that is nothing.
    borrowing func watch(_ descriptor: Int32, reading: Bool, writing: Bool, _ token: Token) {
        let events = (reading ? EPOLLIN.rawValue : 0) | (writing ? EPOLLOUT.rawValue : 0)
        if events == 0 {
            _ = control(EPOLL_CTL_DEL, descriptor, 0, token)
        } else if !control(EPOLL_CTL_MOD, descriptor, events, token) {
            _ = control(EPOLL_CTL_ADD, descriptor, events, token)
        }
    }

    private borrowing func control(_ action: Int32, _ descriptor: Int32, _ events: UInt32, _ token: Token)
        -> Bool
    {
        var event = epoll_event()
        event.events = events
        event.data.u64 = token.bits
        return epoll_ctl(epoll, action, descriptor, &event) == 0
    }

    /// Waits until something happens or `deadline` has come.
    /// - Returns: how many events there are.
    borrowing func wait(until deadline: Instant, now: Instant) -> Int {
        let patience = deadline == .never ? -1 : max(0, (deadline - now).nanoseconds)
        return max(0, Int(lab_epoll_wait(epoll, events, Int32(Self.batch), patience)))
    }

    /// The `index`-th event of the last wait.
    borrowing func event(_ index: Int) -> (token: Token, events: UInt32)? {
        Token(bits: events[index].data.u64).map { ($0, events[index].events) }
    }
}
