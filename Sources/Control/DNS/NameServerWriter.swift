import Glibc
import Packet
import Synchronization

/// Sets and restores name servers on a thread of its own, one after the other, as packets don't wait for programs.
public final class NameServerWriter: Sendable {
    /// What became of an order.
    public enum Outcome: Sendable {
        case set([IPAddress], NameServers.Way)
        case restored
        case failed(ControlError)
    }

    private struct State {
        /// What is wanted and was not begun: name servers, or none to restore the host's.
        var wanted: [IPAddress]?
        var isWorking = false
        var outcomes: [Outcome] = []
    }

    private let servers: NameServers
    private let state = Mutex(State())

    /// A writer of these.
    public init(_ servers: NameServers) { self.servers = servers }

    /// Begins to set these; none: to restore the host's own.
    public func begin(_ wanted: [IPAddress]) {
        let needsThread = state.withLock { state in
            state.wanted = wanted
            defer { state.isWorking = true }
            return !state.isWorking
        }
        guard needsThread else { return }
        let held = Unmanaged.passRetained(self)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, &attributes,
            { held in
                Unmanaged<NameServerWriter>.fromOpaque(held!).takeRetainedValue().work()
                return nil
            }, held.toOpaque())
        if code == 0 { return }
        held.release()
        work()
    }

    /// What has become of orders since the last call.
    public func takeOutcomes() -> [Outcome] {
        state.withLock { state in
            defer { state.outcomes = [] }
            return state.outcomes
        }
    }

    /// Waits until all is done, so many milliseconds at the most.
    public func finish(within milliseconds: Int = 10_000) {
        for _ in 0..<milliseconds / 5 {
            if !state.withLock({ $0.isWorking }) { return }
            usleep(5000)
        }
    }

    private func work() {
        while let wanted = next() {
            let outcome: Outcome
            do throws(ControlError) {
                if wanted.isEmpty {
                    try servers.restore()
                    outcome = .restored
                } else {
                    outcome = .set(wanted, try servers.set(wanted))
                }
            } catch {
                outcome = .failed(error)
            }
            state.withLock { $0.outcomes.append(outcome) }
        }
    }

    private func next() -> [IPAddress]? {
        state.withLock { state in
            defer { state.wanted = nil }
            state.isWorking = state.wanted != nil
            return state.wanted
        }
    }
}
