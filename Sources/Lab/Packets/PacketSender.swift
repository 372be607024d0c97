import CLinux
import Glibc
import Synchronization

/// Sends numbered datagrams at a constant rate on its own thread, without UDP_SEGMENT: each is a packet of its
/// own.
final class PacketSender: Sendable {
    /// The result for the measured datagrams.
    struct Sending: Sendable {
        var sent = 0
        var refused = 0
        /// When the first one was due and when the last one was sent, in seconds of the monotonic clock.
        var start = 0.0
        var end = 0.0
    }

    /// Nanoseconds between two bursts. The device in front of a tunnel holds 500 packets by default: a burst must be
    /// much smaller at any rate of interest.
    private static let tick: UInt64 = 250_000
    /// Maximum time that a late sender makes up for in one burst, in nanoseconds; the rest is not sent.
    private static let longestBurst: UInt64 = 1_000_000

    private let fd: Int32
    private let plan: PacketFlow.Plan
    private let mark: UInt32
    private let skipped: Int
    private let sending = Mutex(Sending())
    private let thread = Mutex<pthread_t?>(nil)

    /// Starts at once. Throws `badAddress` or `system`.
    ///
    /// - Parameters:
    ///   - port: the receiver's port.
    ///   - mark: the first bytes of each datagram.
    ///   - skipped: the number of datagrams sent before the measured ones.
    init(
        from namespace: Namespace, _ plan: PacketFlow.Plan, port: UInt16, mark: UInt32, skipped: Int
    ) throws(LabError) {
        (self.plan, self.mark, self.skipped) = (plan, mark, skipped)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, plan.address, &address.sin_addr) == 1 else {
            throw .badAddress(plan.address)
        }
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = namespace.inside { Glibc.socket(AF_INET, type, 0) }
        guard socket >= 0 else { throw .system(call: "opening a UDP socket", errno: errno) }
        fd = socket
        var room: Int32 = 4 << 20
        if setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, 4) != 0 {
            setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, 4)
        }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw .system(call: "connecting to \(plan.address)", errno: errno) }
        let started = try PosixThread.start(name: "lab-sender") { self.run() }
        thread.withLock { $0 = started }
    }

    deinit { close(fd) }

    /// Waits for the end; returns the result.
    func finish() -> Sending {
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let running { pthread_join(running, nil) }
        return sending.withLock { $0 }
    }

    private func run() {
        // As punctual as a separate host: on cores that the tunnel keeps busy a normal thread is milliseconds
        // late, whatever its nice level. If realtime is not permitted, do without.
        if lab_thread_realtime() != 0 { _ = lab_thread_nice(-10) }
        let batch = PacketBatch(capacity: 64, size: plan.size)
        let perNanosecond = plan.rate / 1e9
        let most = max(Int(Double(Self.longestBurst) * perNanosecond), 1)
        let total = skipped + Int(plan.rate * plan.seconds)
        let begin = clinux_monotonic()
        let deadline = begin + UInt64((plan.omit + plan.seconds) * 1e9)
        var result = Sending()
        var (number, refused, forfeited) = (0, 0, 0)
        var tick = begin
        while number < total {
            let now = clinux_monotonic()
            if now >= deadline { break }
            let due = min(Int(Double(now - begin) * perNanosecond) - forfeited, total)
            if due - number > most { forfeited += due - number - most }
            let goal = min(due, number + most)
            while number < goal {
                if result.start == 0, number >= skipped { result.start = Clock.monotonic }
                let room = number < skipped ? min(goal, skipped) : goal
                let count = min(room - number, batch.capacity)
                let taken = send(count, from: number, of: batch)
                // A datagram that the kernel refused is lost with its number, and counted.
                if taken == 0, number >= skipped { refused += 1 }
                number += max(taken, 1)
            }
            tick = max(tick + Self.tick, now)
            Self.sleep(until: tick)
        }
        result.sent = max(number - skipped, 0)
        result.refused = refused
        result.end = Clock.monotonic
        if result.start == 0 { result.start = result.end }
        sending.withLock { $0 = result }
    }

    /// Sends datagrams `number` to `number + count - 1`; returns how many the kernel accepted.
    private func send(_ count: Int, from number: Int, of batch: borrowing PacketBatch) -> Int {
        for i in 0..<count { batch.setStamp(of: i, mark, UInt32(number + i)) }
        return max(Int(clinux_send(fd, batch.messages, UInt32(count))), 0)
    }

    private static func sleep(until instant: UInt64) {
        var time = timespec(
            tv_sec: Int(instant / 1_000_000_000), tv_nsec: Int(instant % 1_000_000_000))
        _ = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil)
    }
}
