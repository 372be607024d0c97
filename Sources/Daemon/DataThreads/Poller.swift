import CLinux
import Commands
import Glibc

/// epoll, and the timer and signals that it watches beside descriptors. Each descriptor has a token by which the loop knows
/// it again.
struct Poller: ~Copyable {
    /// What a token stands for.
    enum Source: UInt32 {
        case tun = 1
        case timer
        case signals
        case netlink
        case control
        case resolver
        /// What other data threads have.
        case mailbox
        /// The watchdog asks whether the loop goes round.
        case pulse
        /// nftables or routes changed.
        case firewall
        /// The low 16 bits of a token's lower half are the socket's number.
        case socket
    }

    private let epoll: Int32
    private let timer: Int32
    private let signals: Int32
    private var armedFor: UInt64 = .max
    private let events: UnsafeMutablePointer<epoll_event>
    private static let batch = 32

    /// - Parameter takesSignals: whether it has those that end the program or make it read its configuration. No thread
    ///   gets them otherwise that was started after the one that has them.
    init(takesSignals: Bool = true) throws {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        timer = timerfd_create(CLOCK_BOOTTIME, Int32(TFD_NONBLOCK | TFD_CLOEXEC))
        var mask = sigset_t()
        sigemptyset(&mask)
        if takesSignals {
            for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&mask, signal) }
            pthread_sigmask(SIG_BLOCK, &mask, nil)
        }
        signals = signalfd(-1, &mask, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        events = .allocate(capacity: Self.batch)
        guard epoll >= 0, timer >= 0, signals >= 0 else {
            throw Failure(
                "the kernel gives no epoll, timerfd or signalfd (\(String(cString: strerror(errno))))")
        }
        watch(timer, .timer)
        watch(signals, .signals)
    }

    deinit {
        close(epoll)
        close(timer)
        close(signals)
        events.deallocate()
    }

    /// Watches a descriptor for reading.
    borrowing func watch(_ descriptor: Int32, _ source: Source, number: UInt16 = 0) {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.u64 = UInt64(source.rawValue) << 32 | UInt64(number)
        epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)
    }

    /// Waits until something is readable or `deadline` (nanoseconds on `DataPlane.clock`) has come.
    /// - Returns: how many events there are for `event(_:)`.
    mutating func wait(until deadline: UInt64, now: UInt64) -> Int {
        // A timer that fires too early costs a look around, and setting it anew for each deadline that moves away a system call
        // for every packet.
        if deadline > now && (deadline < armedFor || armedFor <= now) {
            armedFor = deadline
            _ = clinux_timer_set(timer, deadline)
        }
        let count = epoll_wait(epoll, events, Int32(Self.batch), deadline > now ? -1 : 0)
        return max(0, Int(count))
    }

    /// The `index`-th event of the last wait.
    borrowing func event(_ index: Int) -> (source: Source, number: UInt16)? {
        let token = events[index].data.u64
        guard let source = Source(rawValue: UInt32(truncatingIfNeeded: token >> 32)) else { return nil }
        return (source, UInt16(truncatingIfNeeded: token))
    }

    /// The timer fired: it must be set anew.
    mutating func timerFired() {
        var count: UInt64 = 0
        _ = read(timer, &count, 8)
        armedFor = .max
    }

    /// The signal that came, or nil.
    borrowing func takeSignal() -> Int32? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        return read(signals, &info, size) == size ? Int32(info.ssi_signo) : nil
    }
}
