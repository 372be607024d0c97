import CLinux
import Glibc
import Packet

/// epoll. Sockets that carry bytes are registered once, edge-triggered in both directions: their readiness is
/// remembered, and pausing a connection means not reading from it.
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

    /// Watches a descriptor for reading, level-triggered.
    borrowing func watchReading(_ descriptor: Int32, _ token: Token) -> Bool {
        control(EPOLL_CTL_ADD, descriptor, EPOLLIN.rawValue, token)
    }

    /// Watches a connected socket for changes in either direction, edge-triggered.
    borrowing func watchChanges(_ descriptor: Int32, _ token: Token) -> Bool {
        let events = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        return control(EPOLL_CTL_ADD, descriptor, events, token)
    }

    /// Watches a descriptor for exactly the given events; for none, stops watching it.
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

    /// Waits for events or until `deadline`.
    /// - Returns: the number of events.
    borrowing func wait(until deadline: Instant, now: Instant) -> Int {
        let patience = deadline == .never ? -1 : max(0, (deadline - now).nanoseconds)
        return max(0, Int(lab_epoll_wait(epoll, events, Int32(Self.batch), patience)))
    }

    /// The `index`-th event of the last wait.
    borrowing func event(_ index: Int) -> (token: Token, events: UInt32)? {
        Token(bits: events[index].data.u64).map { ($0, events[index].events) }
    }
}
