import ControlProtocol
import Dispatch
import Glibc
import Synchronization

/// bondd's status for HTTP requests: at most one query to bondd at a time and four a second, however many
/// requests there are.
final class StatusSource: Sendable {
    /// bondd's status, or the reason for its absence.
    struct Snapshot: Sendable {
        /// The status; nil if bondd did not answer within a second.
        let status: Status?
        /// Why there is no status.
        let reason: String
        /// The number of the snapshot, ascending.
        let number: Int
        /// Whether bondd answered at all.
        let isAlive: Bool

        init(status: Status?, reason: String, number: Int, isAlive: Bool? = nil) {
            (self.status, self.reason, self.number) = (status, reason, number)
            self.isAlive = isAlive ?? (status != nil)
        }
    }

    private struct State {
        var last: (snapshot: Snapshot, at: ContinuousClock.Instant)?
        var isAsking = false
        var number = 0
        var waiting: [CheckedContinuation<Snapshot, Never>] = []
    }

    /// How long a status may be reused.
    static let age = Duration.milliseconds(250)

    private let socket: String
    private let question: Request
    private let state = Mutex(State())
    private let thread = DispatchQueue(label: "bondd-status")

    /// - Parameter question: the query; `ping`, if it only matters that bondd answers, is cheap for bondd.
    init(socket: String, question: Request = .status) {
        self.socket = socket
        self.question = question
    }

    /// The current status, at most `age` old.
    func snapshot() async -> Snapshot {
        if let fresh = state.withLock({ Self.fresh($0) }) { return fresh }
        return await withCheckedContinuation { continuation in
            let fresh: Snapshot? = state.withLock { state in
                if let fresh = Self.fresh(state) { return fresh }
                state.waiting.append(continuation)
                if !state.isAsking {
                    state.isAsking = true
                    thread.async { self.ask() }
                }
                return nil
            }
            if let fresh { continuation.resume(returning: fresh) }
        }
    }

    private static func fresh(_ state: State) -> Snapshot? {
        guard let last = state.last, ContinuousClock.now - last.at < age else { return nil }
        return last.snapshot
    }

    private func ask() {
        var status: Status?
        var isAlive = false
        var reason = ""
        do throws(SocketError) {
            if question == .status {
                status = try ControlClient.get(.status, path: socket, timeout: 1000)
            } else {
                _ = try ControlClient.ask(question, path: socket, timeout: 1000)
            }
            isAlive = true
        } catch {
            reason = error.description
        }
        let (snapshot, waiting) = state.withLock { state in
            state.number += 1
            let snapshot = Snapshot(
                status: status, reason: reason, number: state.number, isAlive: isAlive)
            state.last = (snapshot, .now)
            state.isAsking = false
            let waiting = state.waiting
            state.waiting = []
            return (snapshot, waiting)
        }
        for continuation in waiting { continuation.resume(returning: snapshot) }
    }
}
