import ControlProtocol
import Glibc
import Runtime
import Synchronization

/// The control socket on a thread of its own, which reads and writes its clients' JSON, so that the main
/// thread, which carries data, neither parses a handover of 16 MB nor formats the status of a thousand
/// clients.
final class ControlThread: Sendable {
    typealias Socket = ControlSocket<Request, Response>

    /// An answer for a client.
    private struct Answer: Sendable {
        let response: Response
        let client: Socket.ClientID
    }

    /// Each client has one request at a time, which bounds the mailboxes.
    private let requests: Mailbox<Socket.Call>
    private let answers: Mailbox<Answer?>
    /// Nil once it has ended.
    private let thread = Mutex<Thread?>(nil)

    /// Starts the thread, which owns the socket from here on.
    /// - Throws: `RuntimeError.kernel` if the process has no thread or descriptor left.
    init(_ socket: consuming Socket) throws(RuntimeError) {
        requests = try Mailbox()
        answers = try Mailbox()
        let loop = Loop(socket: socket, requests: requests, answers: answers)
        let started = try Thread.start(name: "control socket", loop)
        thread.withLock { $0 = started }
    }

    deinit { close() }

    /// Readable when there are requests.
    var fileDescriptor: Int32 { requests.fileDescriptor }

    /// The requests since the last call. Each is answered with `reply`.
    func takeRequests() -> [Socket.Call] { requests.take() }

    /// Answers a client's request; does nothing if the client is gone.
    func reply(_ response: Response, to client: Socket.ClientID) {
        answers.post(Answer(response: response, client: client))
    }

    /// Writes the remaining answers, closes the socket, and ends the thread.
    func close() {
        answers.post(nil)
        thread.withLock { $0.take() }?.join()
    }

    /// The thread's work, until an answer is nil.
    private struct Loop: ThreadLoop, ~Copyable {
        var socket: Socket
        let requests: Mailbox<Socket.Call>
        let answers: Mailbox<Answer?>

        mutating func run() {
            while true {
                var watched = [
                    pollfd(fd: socket.fileDescriptor, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: answers.fileDescriptor, events: Int16(POLLIN), revents: 0),
                ]
                guard poll(&watched, 2, -1) > 0 else { continue }
                for answer in answers.take() {
                    guard let answer else { return }
                    socket.reply(answer.response, to: answer.client)
                }
                if watched[0].revents != 0 {
                    for call in socket.takeRequests() { requests.post(call) }
                }
            }
        }
    }
}
