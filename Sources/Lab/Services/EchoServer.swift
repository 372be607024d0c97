import CLinux
import Glibc
import Synchronization

/// An echo server over TCP and UDP, on its own thread.
public final class EchoServer: Sendable {
    private let listener: Int32
    private let datagrams: Int32
    private let wake: Int32
    private let thread = Mutex<pthread_t?>(nil)

    /// Listens on a port of all the namespace's IPv4 addresses. Throws `system`.
    public init(in namespace: Namespace, port: UInt16) throws(LabError) {
        let address = try SocketAddress("0.0.0.0", port: port)
        (listener, datagrams) = namespace.inside {
            (SocketAddress.open(SOCK_STREAM), SocketAddress.open(SOCK_DGRAM))
        }
        wake = lab_eventfd()
        // Holds bursts of datagrams from thousands of flows.
        var size: Int32 = 8 << 20
        setsockopt(datagrams, SOL_SOCKET, SO_RCVBUFFORCE, &size, 4)
        // Connections of the port's previous server may linger.
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
        for fd in [listener, datagrams] {
            guard address.with({ bind(fd, $0, $1) }) == 0 else { throw .system(call: "bind", errno: errno) }
        }
        guard listen(listener, 4096) == 0 else { throw .system(call: "listen", errno: errno) }
        let started = try PosixThread.start(name: "lab-echo") { try? self.run() }
        thread.withLock { $0 = started }
    }

    deinit { for fd in [listener, datagrams, wake] { close(fd) } }

    /// Ends the thread and all connections. May be called again.
    public func stop() {
        guard let thread = thread.withLock({ $0.take() }) else { return }
        var one: UInt64 = 1
        _ = write(wake, &one, 8)
        pthread_join(thread, nil)
    }

    private func run() throws(LabError) {
        let readiness = try Readiness()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var connections: Set<Int32> = []
        defer { for fd in connections { close(fd) } }
        for fd in [listener, datagrams, wake] { readiness.add(fd) }
        var isOver = false
        while !isOver {
            readiness.wait(seconds: 10) { fd, _ in
                switch fd {
                case wake: isOver = true
                case listener: accept(readiness, &connections)
                case datagrams: answerDatagrams(&buffer)
                default:
                    if answer(fd, &buffer) { return }
                    connections.remove(fd)
                    close(fd)
                }
            }
        }
    }

    private func accept(_ readiness: Readiness, _ connections: inout Set<Int32>) {
        while true {
            let fd = Glibc.accept(listener, nil, nil)
            guard fd >= 0 else { return }
            connections.insert(fd)
            readiness.add(fd)
        }
    }

    /// Echoes data; returns whether the connection continues.
    private func answer(_ fd: Int32, _ buffer: inout [UInt8]) -> Bool {
        let count = recv(fd, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count < 0 { return errno == EAGAIN }
        return count > 0 && send(fd, buffer, count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)) == count
    }

    private func answerDatagrams(_ buffer: inout [UInt8]) {
        for _ in 0..<64 {
            var from = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let isOver = withUnsafeMutablePointer(to: &from) { from in
                from.withMemoryRebound(to: sockaddr.self, capacity: 1) { from in
                    let count = recvfrom(datagrams, &buffer, buffer.count, 0, from, &length)
                    if count >= 0 { sendto(datagrams, buffer, count, 0, from, length) }
                    return count < 0
                }
            }
            if isOver { return }
        }
    }
}
