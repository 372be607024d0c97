import CLab
import CLinux
import Glibc
import Runtime
import Synchronization

/// Sends numbered datagrams at an even pace on a thread of its own, without UDP_SEGMENT: each is a packet of its own.
final class PacketSender: Sendable {
    /// What was sent of what counts.
    struct Sending: Sendable {
        var sent = 0
        var refused = 0
        /// When the first that counts was due and the last was sent, in seconds of the monotonic clock.
        var start = 0.0
        var end = 0.0
    }

    /// Nanoseconds between two bursts. The device in front of a tunnel holds 500 packets by default: a burst must be
    /// much less at any rate of interest.
    private static let tick: UInt64 = 250_000
    /// What a late sender makes up for in one burst, in nanoseconds; the rest is not sent.
    private static let longestBurst: UInt64 = 1_000_000

    private let fd: Int32
    private let plan: PacketFlow.Plan
    private let mark: UInt32
    private let skipped: Int
    private let sending = Mutex(Sending())
    private let thread = Mutex<Thread?>(nil)

    /// Starts at once. Throws `badAddress` or `system`.
    ///
    /// - Parameters:
    ///   - port: the receiver's.
    ///   - mark: what each datagram starts with.
    ///   - skipped: how many are sent before those that count.
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
        let started = try Thread.ofLab("lab-sender") { self.run() }
        thread.withLock { $0 = started }
    }

    deinit { close(fd) }

    /// Waits for the end; what was sent.
    func finish() -> Sending {
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        running?.join()
        return sending.withLock { $0 }
    }

    private func run() {
        // Punctual as a host of its own would be: on cores that the tunnel keeps busy a usual thread is milliseconds late,
        // whatever its nice level. Where it may not, it does without.
        if lab_thread_realtime() != 0 { _ = lab_thread_nice(-10) }
        let batch = PacketBatch(capacity: 64, size: plan.size)
        let perNanosecond = plan.rate / 1e9
        let most = max(Int(Double(Self.longestBurst) * perNanosecond), 1)
        let total = skipped + Int(plan.rate * plan.seconds)
        let begin = Runtime.Clock.monotonic
        let deadline = begin + UInt64((plan.omit + plan.seconds) * 1e9)
        var result = Sending()
        var (number, refused, forfeited) = (0, 0, 0)
        var tick = begin
        while number < total {
            let now = Runtime.Clock.monotonic
            if now >= deadline { break }
            let due = min(Int(Double(now - begin) * perNanosecond) - forfeited, total)
            if due - number > most { forfeited += due - number - most }
            let goal = min(due, number + most)
            while number < goal {
                if result.start == 0, number >= skipped { result.start = Clock.monotonic }
                let room = number < skipped ? min(goal, skipped) : goal
                let count = min(room - number, batch.capacity)
                let taken = send(count, from: number, of: batch)
                // One that the kernel refused is lost with its number, and counted.
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

    /// Sends datagrams `number` to `number + count - 1`; how many the kernel took.
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
