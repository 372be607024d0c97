import Commands
import ControlProtocol
import Runtime

/// bondd-control's socket, as the command line uses it: beside bondd's own.
struct ControlServiceSocket {
    let path: String

    /// The one beside bondd's socket at `socket`.
    init(beside socket: String) {
        path = ControlServicePath.asked(of: socket)
    }

    /// Asks bondd-control, waits `timeout` milliseconds at the most, and makes its refusal an error.
    func ask(_ request: ControlServiceRequest, timeout: Int = 10_000) throws -> ControlServiceResponse {
        let response = try ControlClient.ask(request, path: path, timeout: timeout)
        if case .failed(let sentence) = response { throw Failure(sentence) }
        return response
    }

    /// Asks bondd-control a question, and waits at most 10 s for the reply.
    func get<Reply>(
        _ question: Question<ControlServiceRequest, ControlServiceResponse, Reply>
    ) throws(SocketError) -> Reply { try ControlClient.get(question, path: path) }

    /// Whether somebody answers there.
    var isAlive: Bool {
        (try? ControlClient.ask(.clients, path: path, timeout: 1000)) != nil
    }
}
