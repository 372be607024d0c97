import ControlProtocol
import Dispatch
import Glibc
import Synchronization

/// bondd's status for whoever asks for it over HTTP: one question to bondd at a time and at most four a second, however many
/// ask here.
final class StatusSource: Sendable {
    /// What bondd said, or why it said nothing.
    struct Snapshot: Sendable {
        /// Nil when bondd did not answer within a second.
        let status: Status?
        /// Why not.
        let reason: String
        /// Counts the snapshots.
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

    /// How long an answer of bondd's is passed on.
    static let age = Duration.milliseconds(250)

    private let socket: String
    private let question: Request
    private let state = Mutex(State())
    private let thread = DispatchQueue(label: "bondd-status")

    /// - Parameter question: what is asked; `ping`, when it only matters that bondd answers, costs bondd nothing.
    init(socket: String, question: Request = .status) {
        self.socket = socket
        self.question = question
    }

    /// What bondd says now, or said at most `age` ago.
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
