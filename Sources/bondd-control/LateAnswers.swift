import Control
import ControlProtocol
import Dispatch
import Runtime
import Synchronization

/// Slow requests: another thread finds the answer, and the main one sends it. One at a time.
final class LateAnswers: Sendable {
    typealias Client = ControlSocket<ControlServiceRequest, ControlServiceResponse>.ClientID

    private struct State {
        var isBusy = false
        var answer: (client: Client, response: ControlServiceResponse)?
    }

    private let event: EventFD
    private let state = Mutex(State())

    /// - Throws: `RuntimeError.kernel` when the process has no descriptor left.
    init() throws(RuntimeError) { event = try EventFD() }

    /// Readable when there is an answer to give.
    var fileDescriptor: Int32 { event.fileDescriptor }

    /// Starts finding an answer.
    /// - Returns: false if another one is in progress.
    func begin(for client: Client, _ find: @escaping @Sendable () -> ControlServiceResponse) -> Bool {
        let isFree = state.withLock { state in
            defer { state.isBusy = true }
            return !state.isBusy
        }
        guard isFree else { return false }
        DispatchQueue(label: "late answers").async {
            let response = find()
            self.state.withLock { $0.answer = (client, response) }
            self.event.signal()
        }
        return true
    }

    /// Takes the answer, once it has been found.
    func take() -> (client: Client, response: ControlServiceResponse)? {
        event.clear()
        return state.withLock { state in
            guard let answer = state.answer else { return nil }
            state = State()
            return answer
        }
    }
}
