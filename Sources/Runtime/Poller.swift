import CLinux
import Glibc

/// Identifies a descriptor of a `Poller`, in the 64 bits that epoll stores with each.
package protocol PollSource {
    /// The source in 64 bits.
    var bits: UInt64 { get }
    /// The source with these bits; nil if there is none.
    init?(bits: UInt64)
}

extension UInt64: PollSource {
    /// The number itself.
    package var bits: UInt64 { self }
    /// The number itself.
    package init?(bits: UInt64) { self = bits }
}

/// The events of a descriptor for which `Poller.wait` returns.
package struct PollInterest: OptionSet, Sendable {
    package let rawValue: UInt32

    @inlinable package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Readable.
    package static let reading = PollInterest(rawValue: EPOLLIN.rawValue)
    /// Writable.
    package static let writing = PollInterest(rawValue: EPOLLOUT.rawValue)
    /// New data to read, new room to write, or the peer's end: edge-triggered, each reported once.
    package static let changes = PollInterest(
        rawValue: EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue)
}

/// An epoll instance (epoll(7)) with a `Source` for each descriptor.
package struct Poller<Source: PollSource>: ~Copyable {
    /// Readable while one of its descriptors has an event, so that pollers can watch pollers.
    package let fileDescriptor: Int32
    @usableFromInline let events: UnsafeMutablePointer<epoll_event>
    private let capacity: Int32

    /// - Parameter capacity: the maximum number of events that one wait returns.
    /// - Throws: `RuntimeError.kernel` if the process has no descriptor left.
    package init(capacity: Int) throws(RuntimeError) {
        fileDescriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard fileDescriptor >= 0 else { throw .kernel("an epoll", errno: errno) }
        events = .allocate(capacity: capacity)
        self.capacity = Int32(capacity)
    }

    deinit {
        close(fileDescriptor)
        events.deallocate()
    }

    /// Watches a descriptor until it is closed.
    /// - Returns: whether the kernel accepts; otherwise errno has the reason.
    @discardableResult
    package borrowing func watch(
        _ descriptor: Int32, _ source: Source, for interest: PollInterest = .reading
    ) -> Bool {
        control(EPOLL_CTL_ADD, descriptor, source, interest)
    }

    /// Watches a descriptor for exactly these events; not at all if there are none.
    package borrowing func change(_ descriptor: Int32, _ source: Source, to interest: PollInterest) {
        if interest.isEmpty {
            _ = control(EPOLL_CTL_DEL, descriptor, source, interest)
        } else if !control(EPOLL_CTL_MOD, descriptor, source, interest) {
            _ = control(EPOLL_CTL_ADD, descriptor, source, interest)
        }
    }

    private borrowing func control(
        _ action: Int32, _ descriptor: Int32, _ source: Source, _ interest: PollInterest
    ) -> Bool {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = source.bits
        return epoll_ctl(fileDescriptor, action, descriptor, &event) == 0
    }

    /// Waits for events for at most `nanoseconds`; without a limit if that is negative.
    /// - Returns: the number of events, for `event`.
    package borrowing func wait(nanoseconds: Int64) -> Int {
        let count =
            nanoseconds > 0
            ? clinux_epoll_wait(fileDescriptor, events, capacity, nanoseconds)
            : epoll_wait(fileDescriptor, events, capacity, nanoseconds == 0 ? 0 : -1)
        return max(0, Int(count))
    }

    /// The `index`-th event of the last wait: the descriptor's source, and epoll's bits.
    @inlinable package borrowing func event(_ index: Int) -> (source: Source, events: UInt32)? {
        Source(bits: events[index].data.u64).map { ($0, events[index].events) }
    }
}
