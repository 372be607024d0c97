import CLinux
import Commands
import ControlProtocol
import Glibc
import Synchronization

/// The control socket on a thread of its own: there its clients' JSON is read and written, so that the main thread, which
/// carries data, neither parses a handover of 16 MB nor spells out the status of a thousand clients.
final class ControlThread: Sendable {
    typealias Socket = ControlSocket<Request, ControlProtocol.Response>

    private let exchange: Exchange
    /// Nil when it has ended.
    private let thread = Mutex<pthread_t?>(nil)

    /// Starts the thread, which has the socket from here on.
    init(_ socket: consuming Socket) throws(Failure) {
        exchange = try Exchange()
        let started = try Loop(socket: socket, exchange: exchange).start("a thread for the control socket")
        thread.withLock { $0 = started }
    }

    deinit { close() }

    /// Readable when there are requests.
    var fileDescriptor: Int32 { exchange.fileDescriptor }

    /// The requests that came in. Each is to be answered with `reply`.
    func takeRequests() -> [Socket.Call] { exchange.takeCalls() }

    /// Answers a client's request; nothing happens when the client is gone.
    func reply(_ response: ControlProtocol.Response, to client: Socket.ClientID) {
        exchange.post(response, to: client)
    }

    /// Writes the answers that are left, closes the socket, and ends.
    func close() {
        exchange.end()
        let thread = thread.withLock { $0.take() }
        if let thread { pthread_join(thread, nil) }
    }

    /// The thread's work.
    private struct Loop: ThreadLoop, ~Copyable {
        var socket: Socket
        let exchange: Exchange

        mutating func run() {
            _ = lab_thread_name("control socket")
            while true {
                var watched = [
                    pollfd(fd: socket.fileDescriptor, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: exchange.answersDescriptor, events: Int16(POLLIN), revents: 0),
                ]
                guard poll(&watched, 2, -1) > 0 else { continue }
                let (answers, isOver) = exchange.takeAnswers()
                for answer in answers { socket.reply(answer.response, to: answer.client) }
                if isOver { return }
                if watched[0].revents != 0 { exchange.post(socket.takeRequests()) }
            }
        }
    }

    /// The requests and answers between the two threads, bounded by the clients of the socket, each with one request at a time.
    private final class Exchange: @unchecked Sendable {
        private let lock = Lock()
        private let requestBell: Bell
        private let answerBell: Bell
        private var calls: [Socket.Call] = []
        private var answers: [(response: ControlProtocol.Response, client: Socket.ClientID)] = []
        private var isOver = false

        init() throws(Failure) {
            requestBell = try Bell()
            answerBell = try Bell()
        }

        var fileDescriptor: Int32 { requestBell.fileDescriptor }
        var answersDescriptor: Int32 { answerBell.fileDescriptor }

        func post(_ new: [Socket.Call]) {
            guard !new.isEmpty else { return }
            lock.locked { calls += new }
            requestBell.ring()
        }

        func takeCalls() -> [Socket.Call] {
            requestBell.silence()
            return lock.locked {
                defer { calls = [] }
                return calls
            }
        }

        func post(_ response: ControlProtocol.Response, to client: Socket.ClientID) {
            lock.locked { answers.append((response, client)) }
            answerBell.ring()
        }

        func end() {
            lock.locked { isOver = true }
            answerBell.ring()
        }

        func takeAnswers() -> (
            answers: [(response: ControlProtocol.Response, client: Socket.ClientID)], isOver: Bool
        ) {
            answerBell.silence()
            return lock.locked {
                defer { answers = [] }
                return (answers, isOver)
            }
        }
    }
}
