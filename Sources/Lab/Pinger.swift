import CLinux
import Glibc
import Synchronization

/// Sends echo requests at a constant rate on its own thread. The program ping cannot: from 10 ms on it waits in
/// ticks of the kernel (100 per second become 60), and below it keeps a core busy, which the tunnel under test
/// needs.
final class Pinger: Sendable {
    /// The parameters.
    struct Plan: Sendable {
        var count: Int
        /// Nanoseconds.
        var interval: UInt64
        /// Bytes after the 8 of the ICMP header.
        var size: Int
        /// Timeout for the last answer in nanoseconds.
        var patience: UInt64 = 1_000_000_000
    }

    private let fd: Int32
    private let target: EchoTarget
    private let identifier: UInt16
    private let plan: Plan
    private let result = Mutex(PingRun(sent: 0, replies: [], duplicates: 0))
    private let isEnding = Atomic(false)
    private let thread = Mutex<pthread_t?>(nil)
    private static let identifiers = Atomic<UInt16>(UInt16(truncatingIfNeeded: getpid()))

    /// Starts at once. Throws `system` or `badAddress`.
    init(
        from namespace: Namespace, to address: String, _ plan: Plan, interface: String?, source: String?
    ) throws(LabError) {
        target = try EchoTarget(address)
        self.plan = plan
        identifier = Self.identifiers.wrappingAdd(1, ordering: .relaxed).newValue
        fd = try target.open(in: namespace, interface: interface, source: source)
        let started = try PosixThread.start(name: "lab-pinger") { [unowned self] in run() }
        thread.withLock { $0 = started }
    }

    deinit {
        isEnding.store(true, ordering: .relaxed)
        join()
        close(fd)
    }

    /// The result so far.
    var soFar: PingRun { result.withLock { $0 } }

    /// Waits for the end and returns the result.
    func finish() -> PingRun {
        join()
        return soFar
    }

    private func join() {
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        if let running { pthread_join(running, nil) }
    }

    private func run() {
        // As punctual as the emulator, if permitted.
        _ = lab_thread_nice(-10)
        var sentAt: [UInt64] = []
        var isAnswered = [Bool](repeating: false, count: plan.count)
        var packet = [UInt8](repeating: 0, count: 8 + plan.size)
        let start = Self.nanoseconds(CLOCK_MONOTONIC)
        while !isEnding.load(ordering: .relaxed) {
            let now = Self.nanoseconds(CLOCK_MONOTONIC)
            let next = start + UInt64(sentAt.count) * plan.interval
            if sentAt.count < plan.count {
                if now < next { wait(next - now) }
            } else {
                let isDone = isAnswered.allSatisfy(\.self) || now >= sentAt.last! + plan.patience
                if isDone { return }
                wait(50_000_000)
            }
            while let sequence = target.receive(identifier, on: fd) {
                note(sequence, sentAt, &isAnswered)
            }
            if now >= next && sentAt.count < plan.count {
                target.writeRequest(identifier, sequence: UInt16(sentAt.count + 1), into: &packet)
                sentAt.append(now)
                result.withLock { $0.sent += 1 }
                // A request that the kernel refuses for lack of a route counts as lost.
                target.send(packet, on: fd)
            }
        }
    }

    private func note(_ sequence: UInt16, _ sentAt: [UInt64], _ isAnswered: inout [Bool]) {
        let index = Int(sequence) - 1
        guard sentAt.indices.contains(index) else { return }
        let now = Self.nanoseconds(CLOCK_MONOTONIC)
        let time = Double(Self.nanoseconds(CLOCK_REALTIME)) / 1e9
        result.withLock { run in
            if isAnswered[index] {
                run.duplicates += 1
            } else {
                let rtt = Double(now - sentAt[index]) / 1e6
                run.replies.append(PingRun.Reply(sequence: index + 1, rtt: rtt, time: time))
            }
        }
        isAnswered[index] = true
    }

    private func wait(_ nanoseconds: UInt64) {
        var event = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        // Whole milliseconds, rounded up: a request may be that late, but the pace does not drift.
        _ = poll(&event, 1, Int32((nanoseconds + 999_999) / 1_000_000))
    }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
