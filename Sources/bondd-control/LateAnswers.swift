import CLinux
import Control
import ControlProtocol
import Dispatch
import Glibc
import Synchronization

/// Slow requests: another thread finds the answer, and the main one sends it. One at a time.
final class LateAnswers: Sendable {
    typealias Client = ControlSocket<ControlServiceRequest, ControlServiceResponse>.ClientID

    private struct State {
        var isBusy = false
        var answer: (client: Client, response: ControlServiceResponse)?
    }

    /// Readable when there is an answer to send.
    let fileDescriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    private let state = Mutex(State())

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
            _ = eventfd_write(self.fileDescriptor, 1)
        }
        return true
    }

    /// Takes the answer, once it has been found.
    func take() -> (client: Client, response: ControlServiceResponse)? {
        var count: eventfd_t = 0
        _ = eventfd_read(fileDescriptor, &count)
        return state.withLock { state in
            guard let answer = state.answer else { return nil }
            state = State()
            return answer
        }
    }
}
