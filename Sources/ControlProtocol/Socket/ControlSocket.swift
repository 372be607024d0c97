import CLinux
import Glibc

/// The daemon's side of the control socket: lines of JSON in, lines of JSON out, without ever blocking.
///
/// It has its own epoll, so that the daemon's loop watches one descriptor regardless of the number of clients:
/// when `fileDescriptor` is readable, call `takeRequests` and answer each with `reply`. A client's next request
/// is read after it has received its answer; until then the kernel buffers it.
package struct ControlSocket<Request: Decodable & Sendable, Response: Answer>: ~Copyable {
    /// Maximum number of clients; one more gets an error and is closed.
    package static var maximumClients: Int { 16 }
    /// How many of them are reserved for root and this program's own user, so that others cannot lock them out.
    package static var reservedClients: Int { 4 }
    /// Maximum length of a request in bytes, including the newline: a handover of some 100,000 clients.
    package static var maximumRequest: Int { 16 << 20 }
    /// Maximum length of a request from users that do not hand over anything.
    package static var maximumShortRequest: Int { 64 << 10 }

    /// Identifies a client for the daemon's lifetime; numbers are never reused.
    package struct ClientID: Hashable, Sendable {
        let number: UInt64
    }

    /// A request awaiting its answer.
    package struct Call: Sendable {
        /// The connection to answer on.
        package let client: ClientID
        /// The client's process.
        package let peer: Peer
        /// The request.
        package let request: Request
    }

    /// Readable whenever there is work to do; nonblocking and close-on-exec.
    package let fileDescriptor: Int32

    private let listener: ListeningSocket
    private let isBulky: @Sendable (UInt32) -> Bool
    private var clients: [UInt64: ControlConnection] = [:]
    private var lastClient: UInt64 = 0

    /// Listens on `path`: 0600, or 0660 for a group. Creates its directory if it is missing, and replaces the
    /// socket of a dead daemon or an impostor.
    /// - Parameters:
    ///   - group: the group that may connect, unless root was started with its own group, which takes
    ///     precedence; nil for none.
    ///   - isBulky: returns whether a user may send requests of up to `maximumRequest`, like root and this
    ///     program's own user.
    /// - Throws: `alreadyRunning`, `notASocket`, `socketPathTooLong` or `file`.
    package init(
        path: String, group: UInt32? = nil, isBulky: @escaping @Sendable (UInt32) -> Bool = { _ in false }
    ) throws(SocketError) {
        self.isBulky = isBulky
        let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw .file("watch", path: path, errno: errno) }
        do {
            listener = try ListeningSocket(path: path, group: ListeningSocket.ownGroup ?? group)
        } catch {
            close(epoll)
            throw error
        }
        fileDescriptor = epoll
        watch(listener.fileDescriptor, 0, EPOLL_CTL_ADD, EPOLLIN.rawValue)
    }

    deinit {
        for client in clients.values { close(client.fileDescriptor) }
        close(fileDescriptor)
    }

    /// The number of connected clients.
    package var clientCount: Int { clients.count }

    /// Accepts, reads and writes as far as possible without blocking, and returns the requests received.
    /// Invalid requests are answered with an error here.
    package mutating func takeRequests() -> [Call] {
        var calls: [Call] = []
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.maximumClients + 1) { events in
            let count = epoll_wait(fileDescriptor, events.baseAddress, Int32(events.count), 0)
            for i in 0..<max(0, Int(count)) {
                let number = events[i].data.u64
                if number == 0 {
                    accept()
                } else if let request = serve(number, events[i].events) {
                    let peer = clients[number]?.peer ?? Peer(user: .max)
                    calls.append(Call(client: ClientID(number: number), peer: peer, request: request))
                }
            }
        }
        return calls
    }

    /// Answers a client's request; does nothing if the client has disconnected.
    package mutating func reply(_ response: Response, to client: ClientID) {
        guard clients[client.number] != nil else { return }
        // Encoding fails only for numbers that JSON cannot represent (infinity).
        let line = (try? Line.encode(response)) ?? Self.unwritable
        clients[client.number]!.answer(line)
        settle(client.number)
    }

    private static var unwritable: [UInt8] {
        Array("{\"error\":\"the answer cannot be written as JSON\",\"ok\":false}\n".utf8)
    }

    private mutating func accept() {
        while true {
            let descriptor = clinux_accept(listener.fileDescriptor)
            if descriptor == -EINTR || descriptor == -ECONNABORTED { continue }
            guard descriptor >= 0 else { return }
            let peer = Peer(of: descriptor)
            let most = Self.maximumClients - (peer.isPrivileged ? 0 : Self.reservedClients)
            guard clients.count < most else {
                let sentence = "bondd already serves the maximum of \(most) programs; close one of them"
                if let line = try? Line.encode(Response.failed(sentence)) {
                    _ = send(descriptor, line, line.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
                }
                close(descriptor)
                continue
            }
            lastClient += 1
            clients[lastClient] = ControlConnection(fileDescriptor: descriptor, peer: peer)
            watch(descriptor, lastClient, EPOLL_CTL_ADD, EPOLLIN.rawValue)
        }
    }

    /// Handles `events` of one client; returns its request once it is complete.
    private mutating func serve(_ number: UInt64, _ events: UInt32) -> Request? {
        guard clients[number] != nil else { return nil }
        var request: Request?
        if clients[number]!.wantsToRead {
            let peer = clients[number]!.peer
            let limit =
                peer.isPrivileged || isBulky(peer.user) ? Self.maximumRequest : Self.maximumShortRequest
            switch clients[number]!.readLine(limit: limit) {
            case .line(let line):
                do {
                    request = try Line.decode(Request.self, from: line)
                } catch {
                    reply(
                        .failed("this is not a request that bondd knows; see bondd --help"),
                        to: .init(number: number))
                }
            case .tooLong:
                clients[number]!.endsAfterAnswer = true
                let sentence = "the request is longer than \(limit) bytes; send a shorter one"
                reply(.failed(sentence), to: .init(number: number))
            case .partial: break
            case .ended: clients[number]!.isOver = true
            }
        } else if events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
            clients[number]!.isOver = true
        } else {
            clients[number]!.flush()
        }
        settle(number)
        return request
    }

    /// Closes a client that is done, or updates the events to watch.
    private mutating func settle(_ number: UInt64) {
        guard let client = clients[number] else { return }
        if client.isOver {
            close(client.fileDescriptor)
            clients[number] = nil
        } else {
            let events = client.hasOutput ? EPOLLOUT.rawValue : client.wantsToRead ? EPOLLIN.rawValue : 0
            watch(client.fileDescriptor, number, EPOLL_CTL_MOD, events)
        }
    }

    private func watch(_ descriptor: Int32, _ number: UInt64, _ operation: Int32, _ events: UInt32) {
        var event = epoll_event(events: events, data: epoll_data_t(u64: number))
        _ = epoll_ctl(fileDescriptor, operation, descriptor, &event)
    }
}
