import CLab
import Glibc
import LinkModel
import Runtime
import Synchronization

/// The thread that forwards the frames of all links of a lab, and the lock under which the rest of the program
/// changes the links. The lock is held for one batch at a time (well below a millisecond), and Swift's mutex is
/// fair if there are waiters (a priority-inheritance futex), so a change never waits long.
final class Emulator: Sendable {
    private let state: Mutex<EmulatorState>
    /// Waited on by the thread alone; watching more is safe from any.
    private nonisolated(unsafe) let poller: Poller<UInt64>
    private let wake: EventFD
    private let thread = Mutex<Thread?>(nil)

    /// - Parameter memory: bytes for frames in flight.
    init(memory: Int) throws(LabError) {
        state = Mutex(EmulatorState(memory: memory))
        do throws(RuntimeError) {
            poller = try Poller(capacity: 64)
            wake = try EventFD()
        } catch {
            throw .system(call: "epoll_create1 or eventfd", errno: error.code)
        }
        try watch(wake.fileDescriptor, tag: .max)
        let started = try Thread.ofLab("lab-emulator") { self.run() }
        thread.withLock { $0 = started }
    }

    /// Ends the thread and closes all TAPs. May be called again.
    func stop() {
        guard let thread = thread.withLock({ $0.take() }) else { return }
        state.withLock { $0.isStopping = true }
        wake.signal()
        thread.join()
        state.withLock { state in
            for lane in state.lanes.indices { state.dropTap(of: lane) }
        }
    }

    /// CPU seconds used by the thread so far; 0 after `stop`.
    var cpuSeconds: Double {
        thread.withLock { thread in
            thread.map { Double($0.processorTime) / 1e9 } ?? 0
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
    /// Restarts the traces and recurring events of all links now.
    func restart() {
        let now = Runtime.Clock.monotonic
        state.withLock { state in
            for lane in state.lanes.indices { state.lanes[lane].model.restart(at: now) }
        }
    }
    func counters(lane: Int) -> LinkCounters { state.withLock { $0.lanes[lane].counters } }

    private func watch(_ fd: Int32, tag: UInt64) throws(LabError) {
        if !poller.watch(fd, tag) { throw .system(call: "epoll_ctl", errno: errno) }
    }

    /// Time between two rounds of a busy emulator, in nanoseconds. A round for each frame costs half as much CPU again;
    /// frames of one round arrive together, at most this (and the kernel's timer slack of 50 µs) late.
    private static let round: UInt64 = 100_000

    /// The thread's loop: waits for frames or for the next arrival, reads, and delivers.
    private func run() {
        _ = lab_thread_nice(-10)  // an emulator that runs late adds jitter
        var timeout: Int64 = -1
        while true {
            let count = poller.wait(nanoseconds: timeout)
            let start = Runtime.Clock.monotonic
            state.withLock { $0.deliver(now: start) }
            for i in 0..<count {
                guard let event = poller.event(i) else { continue }
                state.withLock { $0.serve(tag: event.source, now: Runtime.Clock.monotonic) }
            }
            let next: UInt64? = state.withLock { $0.isStopping ? nil : $0.nextDelivery ?? .max }
            guard let next else { return }
            Self.sleep(until: start + Self.round)
            let now = Runtime.Clock.monotonic
            timeout = next == .max ? -1 : Int64(next) - Int64(min(now, next))
        }
    }

    /// Sleeps until a time of the monotonic clock; returns at once if it is past.
    private static func sleep(until time: UInt64) {
        var end = timespec(tv_sec: Int(time / 1_000_000_000), tv_nsec: Int(time % 1_000_000_000))
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nil)
    }
}
