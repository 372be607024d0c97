import CLinux
import Glibc
import LinkModel
import Synchronization

/// The thread that forwards the frames of all links of a lab, and the lock under which the rest of the program
/// changes the links. The lock is held for one batch at a time (well below a millisecond), and Swift's mutex is
/// fair if there are waiters (a priority-inheritance futex), so a change never waits long.
final class Emulator: Sendable {
    private let state: Mutex<EmulatorState>
    private let epoll: Int32
    private let wake: Int32
    private let thread = Mutex<pthread_t?>(nil)

    /// - Parameter memory: bytes for frames in flight.
    init(memory: Int) throws(LabError) {
        state = Mutex(EmulatorState(memory: memory))
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw .system(call: "epoll_create1", errno: errno) }
        wake = lab_eventfd()
        guard wake >= 0 else {
            close(epoll)
            throw .system(call: "eventfd", errno: -wake)
        }
        try watch(wake, tag: .max)
        let started = try PosixThread.start(name: "lab-emulator") { self.run() }
        thread.withLock { $0 = started }
    }

    deinit {
        close(wake)
        close(epoll)
    }

    /// Ends the thread and closes all TAPs. May be called again.
    func stop() {
        guard let thread = thread.withLock({ $0.take() }) else { return }
        state.withLock { $0.isStopping = true }
        var one: UInt64 = 1
        _ = write(wake, &one, 8)
        pthread_join(thread, nil)
        state.withLock { state in
            for lane in state.lanes.indices { state.dropTap(of: lane) }
        }
    }

    /// CPU seconds used by the thread so far; 0 after `stop`.
    var cpuSeconds: Double {
        thread.withLock { thread in
            var clock = clockid_t()
            var time = timespec()
            guard let thread, pthread_getcpuclockid(thread, &clock) == 0, clock_gettime(clock, &time) == 0
            else {
                return 0
            }
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
    }

    /// Adds the two lanes of a link, without TAPs yet, and returns the number of the first.
    func addPair(up: LinkModel, down: LinkModel) -> Int {
        state.withLock { state in
            state.lanes.append(Lane(model: up))
            state.lanes.append(Lane(model: down))
            return state.lanes.count - 2
        }
    }

    /// Takes over a TAP as a lane's sending end.
    func plug(_ tap: Int32, lane: Int) throws(LabError) {
        let stopped = state.withLock { state in
            if state.isStopping { return true }
            state.dropTap(of: lane)
            state.lanes[lane].tap = tap
            state.lanes[lane].hasCarrier = true
            return false
        }
        if stopped {
            close(tap)
            throw .closed
        }
        try watch(tap, tag: UInt64(lane))
    }

    /// Closes a lane's TAP; its device vanishes.
    func unplug(lane: Int) { state.withLock { $0.dropTap(of: lane) } }

    /// Sets or clears the carrier of the device at a lane's sending end. Does nothing if none is plugged in.
    func setCarrier(_ on: Bool, lane: Int) throws(LabError) {
        let status = state.withLock { state in
            state.lanes[lane].hasCarrier = on
            return state.lanes[lane].tap < 0 ? 0 : lab_tap_carrier(state.lanes[lane].tap, on ? 1 : 0)
        }
        if status < 0 { throw .system(call: "TUNSETCARRIER", errno: -status) }
    }

    func shape(lane: Int) -> LinkShape { state.withLock { $0.lanes[lane].model.shape } }
    func change(lane: Int, _ body: (inout LinkShape) -> Void) {
        state.withLock { body(&$0.lanes[lane].model.shape) }
    }
    func counters(lane: Int) -> LinkCounters { state.withLock { $0.lanes[lane].counters } }

    private func watch(_ fd: Int32, tag: UInt64) throws(LabError) {
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: tag))
        if epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 { throw .system(call: "epoll_ctl", errno: errno) }
    }

    /// Time between two rounds of a busy emulator, in nanoseconds. A round for each frame costs half as much CPU again;
    /// frames of one round arrive together, at most this (and the kernel's timer slack of 50 µs) late.
    private static let round: UInt64 = 100_000

    /// The thread's loop: waits for frames or for the next arrival, reads, and delivers.
    private func run() {
        _ = lab_thread_nice(-10)  // an emulator that runs late adds jitter
        let capacity = 64
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
        defer { events.deallocate() }
        var timeout: Int64 = -1
        while true {
            let count = lab_epoll_wait(epoll, events, Int32(capacity), timeout)
            let start = Self.now()
            state.withLock { $0.deliver(now: start) }
            for i in 0..<max(Int(count), 0) {
                state.withLock { $0.serve(tag: events[i].data.u64, now: Self.now()) }
            }
            let next: UInt64? = state.withLock { $0.isStopping ? nil : $0.nextDelivery ?? .max }
            guard let next else { return }
            Self.sleep(until: start + Self.round)
            let now = Self.now()
            timeout = next == .max ? -1 : Int64(next) - Int64(min(now, next))
        }
    }

    /// Sleeps until a time of the monotonic clock; returns at once if it is past.
    private static func sleep(until time: UInt64) {
        var end = timespec(tv_sec: Int(time / 1_000_000_000), tv_nsec: Int(time % 1_000_000_000))
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nil)
    }

    /// The monotonic clock, in nanoseconds.
    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
