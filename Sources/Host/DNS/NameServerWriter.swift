import Glibc
import Packet
import Synchronization

/// Sets and restores name servers one request at a time on its own thread, as packets must not wait for programs.
public final class NameServerWriter: Sendable {
    /// The result of a request.
    public enum Outcome: Sendable {
        case set([IPAddress], NameServers.Way)
        case restored
        case failed(HostError)
        /// They had been set, but another program has removed them since.
        case forgotten
    }

    private enum Order {
        /// Set name servers, or restore the host's if empty.
        case set([IPAddress])
        /// Check whether they are still in force.
        case look([IPAddress], NameServers.Way)
    }

    private struct State {
        /// The request that is waiting to start.
        var wanted: Order?
        var isWorking = false
        var outcomes: [Outcome] = []
    }

    private let servers: NameServers
    private let state = Mutex(State())

    /// A writer for `servers`.
    public init(_ servers: NameServers) { self.servers = servers }

    /// Starts setting these servers; empty restores the host's own.
    public func begin(_ wanted: [IPAddress]) { begin(.set(wanted)) }

    /// Starts checking whether these servers, set that way, are still in force, unless another request is pending.
    public func look(after servers: [IPAddress], _ way: NameServers.Way) {
        guard !state.withLock({ $0.isWorking }) else { return }
        begin(.look(servers, way))
    }

    private func begin(_ order: Order) {
        let needsThread = state.withLock { state in
            state.wanted = order
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

    /// The results since the last call.
    public func takeOutcomes() -> [Outcome] {
        state.withLock { state in
            defer { state.outcomes = [] }
            return state.outcomes
        }
    }

    /// Waits until all requests are done, for at most this many milliseconds.
    public func finish(within milliseconds: Int = 10_000) {
        for _ in 0..<milliseconds / 5 {
            if !state.withLock({ $0.isWorking }) { return }
            usleep(5000)
        }
    }

    private func work() {
        while let order = next() {
            guard let outcome = carryOut(order) else { continue }
            state.withLock { $0.outcomes.append(outcome) }
        }
    }

    private func carryOut(_ order: Order) -> Outcome? {
        do throws(HostError) {
            switch order {
            case .set(let wanted) where wanted.isEmpty:
                try servers.restore()
                return .restored
            case .set(let wanted): return .set(wanted, try servers.set(wanted))
            case .look(let wanted, let way): return servers.stand(wanted, way) ? nil : .forgotten
            }
        } catch {
            return .failed(error)
        }
    }

    private func next() -> Order? {
        state.withLock { state in
            defer { state.wanted = nil }
            state.isWorking = state.wanted != nil
            return state.wanted
        }
    }
}
