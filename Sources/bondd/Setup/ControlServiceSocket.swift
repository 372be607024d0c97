import Commands
import ControlProtocol
import Runtime

/// bondd-control's socket, as the command line uses it: next to bondd's own.
struct ControlServiceSocket {
    let path: String

    /// The socket next to bondd's own at `socket`.
    init(beside socket: String) {
        path = ControlServicePath.asked(of: socket)
    }

    /// Sends a request to bondd-control, waits at most `timeout` milliseconds, and throws if it is refused.
    func ask(_ request: ControlServiceRequest, timeout: Int = 10_000) throws -> ControlServiceResponse {
        let response = try ControlClient.ask(request, path: path, timeout: timeout)
        if case .failed(let sentence) = response { throw Failure(sentence) }
        return response
    }

    /// Sends a query to bondd-control and waits at most 10 s for the reply.
    func get<Reply>(
        _ question: Question<ControlServiceRequest, ControlServiceResponse, Reply>
    ) throws(SocketError) -> Reply { try ControlClient.get(question, path: path) }

    /// Whether bondd-control answers on the socket.
    var isAlive: Bool {
        (try? ControlClient.ask(.clients, path: path, timeout: 1000)) != nil
    }
}
