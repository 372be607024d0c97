import Control
import ControlProtocol
import Dispatch
import Runtime
import Synchronization

/// Requests whose answers take long: another thread finds the answer, and the main one gives it. One at a time.
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

    /// Begins to find an answer.
    /// - Returns: false while another one is being found.
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

    /// The answer that was found, once.
    func take() -> (client: Client, response: ControlServiceResponse)? {
        event.clear()
        return state.withLock { state in
            guard let answer = state.answer else { return nil }
            state = State()
            return answer
        }
    }
}
