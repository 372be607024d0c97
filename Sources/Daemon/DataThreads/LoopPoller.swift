import Packet
import Runtime

/// The descriptors that a data thread's loop watches.
enum LoopSource: PollSource {
    case tun
    case timer
    case signals
    case netlink
    case control
    case resolver
    /// Letters and commands from other data threads.
    case mailbox
    /// The watchdog asks whether the loop is running.
    case pulse
    /// nftables or routes changed.
    case firewall
    /// The socket of that number.
    case socket(UInt16)

    /// The kind in the upper half, a socket's number in the lower.
    var bits: UInt64 {
        switch self {
        case .tun: 1 << 32
        case .timer: 2 << 32
        case .signals: 3 << 32
        case .netlink: 4 << 32
        case .control: 5 << 32
        case .resolver: 6 << 32
        case .mailbox: 7 << 32
        case .pulse: 8 << 32
        case .firewall: 9 << 32
        case .socket(let number): 10 << 32 | UInt64(number)
        }
    }

    init?(bits: UInt64) {
        switch bits >> 32 {
        case 1: self = .tun
        case 2: self = .timer
        case 3: self = .signals
        case 4: self = .netlink
        case 5: self = .control
        case 6: self = .resolver
        case 7: self = .mailbox
        case 8: self = .pulse
        case 9: self = .firewall
        case 10: self = .socket(UInt16(truncatingIfNeeded: bits))
        default: return nil
        }
    }
}

/// Waits for descriptors, and for a deadline on the clock that advances while the host is suspended.
struct LoopPoller: ~Copyable {
    private let poller: Poller<LoopSource>
    private var timer: BoottimeTimer

    /// - Throws: `RuntimeError.kernel` if the process has no descriptor left.
    init() throws(RuntimeError) {
        let timer = try BoottimeTimer()
        poller = try Poller(capacity: 32)
        poller.watch(timer.fileDescriptor, .timer)
        self.timer = timer
    }

    /// Watches a descriptor for reading.
    func watch(_ descriptor: Int32, _ source: LoopSource) { poller.watch(descriptor, source) }

    /// Waits until a descriptor is readable or `deadline` has come.
    /// - Returns: the number of events for `event`.
    mutating func wait(until deadline: Instant, now: Instant) -> Int {
        guard deadline > now else { return poller.wait(nanoseconds: 0) }
        timer.arm(for: deadline.nanoseconds, now: now.nanoseconds)
        return poller.wait(nanoseconds: -1)
    }

    /// The source of the `index`-th event of the last wait; nil if it was the deadline.
    mutating func event(_ index: Int) -> LoopSource? {
        guard let source = poller.event(index)?.source else { return nil }
        if case .timer = source {
            timer.acknowledge()
            return nil
        }
        return source
    }
}
