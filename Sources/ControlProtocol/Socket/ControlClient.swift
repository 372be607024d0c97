import Glibc
import Runtime

/// A program's side of the control socket.
package enum ControlClient {
    /// Maximum length of an answer in bytes.
    package static let maximumAnswer = 64 << 20

    /// Sends a request to the bondd behind `path` and waits at most `timeout` milliseconds for its answer.
    /// - Throws: `notRunning`, `socketForbidden`, `impostor`, `timedOut`, `badAnswer`, `socketPathTooLong` or `file`.
    package static func ask(
        _ request: Request, path: String, timeout: Int = 3000
    ) throws(SocketError) -> Response {
        try ask(request, path: path, timeout: timeout, for: Response.self) { $0.mayServe(path) }
    }

    /// Sends a request to the bondd-control behind `path`.
    package static func ask(
        _ request: ControlServiceRequest, path: String, timeout: Int = 10_000
    ) throws(SocketError) -> ControlServiceResponse {
        // Any process that may listen on this socket is trusted as bondd-control.
        try ask(request, path: path, timeout: timeout, for: ControlServiceResponse.self) { _ in true }
    }

    /// Asks the bondd behind `path` a question, and waits at most `timeout` milliseconds for the reply.
    /// - Throws: as `ask`; `refused`, and `otherVersion` if bondd answers something else.
    package static func get<Reply>(
        _ question: Question<Request, Response, Reply>, path: String, timeout: Int = 3000
    ) throws(SocketError) -> Reply {
        try question.reply(in: ask(question.request, path: path, timeout: timeout), path: path)
    }

    /// Asks the bondd-control behind `path` a question, and waits at most `timeout` milliseconds for the reply.
    /// - Throws: as `ask`; `refused`, and `otherVersion` if bondd-control answers something else.
    package static func get<Reply>(
        _ question: Question<ControlServiceRequest, ControlServiceResponse, Reply>, path: String,
        timeout: Int = 10_000
    ) throws(SocketError) -> Reply {
        try question.reply(in: ask(question.request, path: path, timeout: timeout), path: path)
    }

    private static func ask<Response: Decodable>(
        _ request: some Encodable, path: String, timeout: Int, for type: Response.Type,
        _ mayServe: (Peer) -> Bool
    ) throws(SocketError) -> Response {
        let descriptor = try connect(path, timeout)
        defer { close(descriptor) }
        let peer = Peer(of: descriptor)
        guard mayServe(peer) else { throw .impostor(path: path, user: peer.user) }
        guard let line = try? Line.encode(request) else { throw .badAnswer(path: path) }
        let answer = try exchange(descriptor, line, path, timeout)
        guard let response = try? Line.decode(Response.self, from: answer) else {
            throw .badAnswer(path: path)
        }
        return response
    }

    static func connect(_ path: String, _ timeout: Int) throws(SocketError) -> Int32 {
        let address = try UnixAddress(path)
        let descriptor = try UnixAddress.open(blocking: true)
        // Applies to connect as well, if the daemon's backlog is full.
        var limit = timeval(tv_sec: timeout / 1000, tv_usec: timeout % 1000 * 1000)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        let code = address.call(Glibc.connect, descriptor)
        if code == 0 { return descriptor }
        close(descriptor)
        switch code {
        case ENOENT, ENOTDIR, ECONNREFUSED: throw .notRunning(path: path)
        case EACCES, EPERM: throw .socketForbidden(path: path)
        case EAGAIN: throw .timedOut(path: path)
        default: throw .file("connect to", path: path, errno: code)
        }
    }

    /// Sends a line and reads one.
    private static func exchange(
        _ descriptor: Int32, _ line: [UInt8], _ path: String, _ timeout: Int
    ) throws(SocketError) -> [UInt8] {
        var rest = line[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN { throw .timedOut(path: path) }
                break  // closed early: what it had to say about it may be there to read
            }
            rest = rest.dropFirst(sent)
        }
        let deadline = now() + timeout
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while answer.count < maximumAnswer {
            var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&watched, 1, Int32(max(0, deadline - now())))
            if ready < 0 && errno == EINTR { continue }
            if ready == 0 { throw .timedOut(path: path) }
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { break }
            answer += chunk[..<count]
            if answer.last == UInt8(ascii: "\n") { return answer }
        }
        // A daemon that ended in the meantime closes the socket without an answer.
        if answer.isEmpty { throw .notRunning(path: path) }
        throw .badAnswer(path: path)
    }

    /// The monotonic clock in milliseconds.
    private static func now() -> Int { Int(Clock.monotonic / 1_000_000) }
}

extension ControlClient {
    /// The process listening on the socket at `path`, as reported by the kernel (SO_PEERCRED, unix(7)).
    /// - Throws: `notRunning`, `socketForbidden`, `socketPathTooLong` or `file`.
    package static func process(behind path: String) throws(SocketError) -> pid_t {
        let descriptor = try connect(path, 1000)
        defer { close(descriptor) }
        // struct ucred: process, user, group.
        var credentials: [Int32] = [0, 0, 0]
        var size = socklen_t(credentials.count * MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else {
            throw .file("ask who listens on", path: path, errno: errno)
        }
        return credentials[0]
    }
}
