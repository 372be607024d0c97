import Daemon
import Engine
import Glibc
import Packet
import Proto
import Transport

/// An Engine with its own sockets and no tunnel, for commands that shake hands with a server themselves.
struct SocketEngine: ~Copyable {
    var engine: Engine
    private(set) var sockets: [UDPSocket] = []
    private var outbox = Outbox()
    private var batch = ReceiveBatch()

    init(_ engine: consuming Engine) { self.engine = engine }

    /// Adds a socket, which links refer to by its number.
    mutating func add(_ socket: UDPSocket) { sockets.append(socket) }

    /// Lets the Engine do its pending work.
    /// - Returns: its events since the last call.
    mutating func turn() -> [EngineEvent] {
        while !engine.service(into: &outbox, now: Instant.now, wall: Timestamp.now) { flush() }
        flush()
        return engine.takeEvents()
    }

    /// Waits at most 50 ms for datagrams, or for another descriptor, and hands the datagrams to the Engine.
    mutating func wait(besides descriptor: Int32 = -1) {
        var watched = sockets.map { pollfd(fd: $0.socket.fileDescriptor, events: Int16(POLLIN), revents: 0) }
        watched.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
        guard poll(&watched, nfds_t(watched.count), 50) > 0 else { return }
        let now = Instant.now
        for (socket, watched) in zip(sockets, watched) where watched.revents != 0 {
            guard socket.socket.receive(into: &batch) > 0 else { continue }
            for index in 0..<batch.count {
                engine.receive(
                    batch.datagram(index), from: batch.link(index, socket: socket.number), now: now)
            }
        }
    }

    /// Ends all sessions.
    mutating func close() {
        engine.closeAll(into: &outbox, now: Instant.now)
        flush()
    }

    private mutating func flush() {
        for index in 0..<outbox.count {
            guard let socket = sockets.first(where: { $0.number == outbox[index].link.socket }) else {
                continue
            }
            _ = socket.socket.send(outbox, entries: index..<index + 1)
        }
        outbox.clear()
    }
}
