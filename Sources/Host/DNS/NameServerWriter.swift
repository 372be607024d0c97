import Glibc
import Packet
import Runtime
import Synchronization

/// Sets and restores name servers one request at a time on its own thread, as packets must not wait for programs.
package final class NameServerWriter: Sendable {
    /// The result of a request.
    package enum Outcome: Sendable {
        case set([IPAddress], NameServers.Way)
        case restored
        case failed(HostError)
        /// Another program has removed the servers that were set.
        case removed
    }

    private enum Order {
        /// Set name servers, or restore the host's if empty.
        case set([IPAddress])
        /// Compare the host's with these.
        case check([IPAddress], NameServers.Way)
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
    package init(_ servers: NameServers) { self.servers = servers }

    /// Starts setting these servers; empty restores the host's own.
    package func begin(_ wanted: [IPAddress]) { begin(.set(wanted)) }

    /// Starts checking whether these servers, set that way, are still in force, unless another request is pending.
    package func check(_ servers: [IPAddress], _ way: NameServers.Way) {
        guard !state.withLock({ $0.isWorking }) else { return }
        begin(.check(servers, way))
    }

    private func begin(_ order: Order) {
        let needsThread = state.withLock { state in
            state.wanted = order
            defer { state.isWorking = true }
            return !state.isWorking
        }
        guard needsThread else { return }
        do throws(RuntimeError) {
            try Thread.detach(name: "name servers") { [self] in work() }
        } catch {
            work()
        }
    }

    /// The results since the last call.
    package func takeOutcomes() -> [Outcome] {
        state.withLock { state in
            defer { state.outcomes = [] }
            return state.outcomes
        }
    }

    /// Waits until all requests are done, for at most this many milliseconds.
    package func finish(within milliseconds: Int = 10_000) {
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
            case .check(let wanted, let way): return servers.holds(wanted, way) ? nil : .removed
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
