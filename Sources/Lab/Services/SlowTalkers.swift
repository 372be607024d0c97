import CLinux
import Glibc
import Synchronization

/// End users who connect by TCP and send a greeting so slowly, one byte at a time, that they keep a service
/// waiting; after being disconnected, they call again a second later. Runs on its own thread.
public final class SlowTalkers: Sendable {
    private let state = Mutex<(isOver: Bool, begun: Int, open: Int)>((false, 0, 0))
    private let thread = Mutex<pthread_t?>(nil)

    /// Starts calling.
    /// - Parameters:
    ///   - count: the number of concurrent callers.
    ///   - pause: seconds between two bytes.
    /// Throws `badAddress` or `system`.
    public init(
        in namespace: Namespace, to address: String, port: UInt16, count: Int, saying greeting: [UInt8],
        pause: Double = 0.25
    ) throws(LabError) {
        let address = try SocketAddress(address, port: port)
        let started = try PosixThread.start(name: "lab-slow") {
            namespace.inside { self.run(address, count, greeting, pause) }
        }
        thread.withLock { $0 = started }
    }

    /// The number of calls started so far, and of those connected.
    public var calls: (begun: Int, open: Int) { state.withLock { ($0.begun, $0.open) } }

    /// Disconnects all and ends the thread. May be called again.
    public func stop() {
        guard let thread = thread.withLock({ $0.take() }) else { return }
        state.withLock { $0.isOver = true }
        pthread_join(thread, nil)
    }

    private func run(_ address: SocketAddress, _ count: Int, _ greeting: [UInt8], _ pause: Double) {
        // The time at which the next call may start, for callers without one.
        var calls: [(fd: Int32, said: Int, next: Double)] = Array(repeating: (-1, 0, 0), count: count)
        defer { for call in calls where call.fd >= 0 { close(call.fd) } }
        // In ten parts, so that they do not all send at once.
        let parts = 10
        var (part, begun) = (0, 0)
        while !state.withLock({ $0.isOver }) {
            for index in stride(from: part, to: count, by: parts) {
                if calls[index].fd >= 0, !talk(&calls[index], greeting) {
                    close(calls[index].fd)
                    calls[index] = (-1, 0, Clock.monotonic + 1)
                }
                if calls[index].fd < 0 && calls[index].next <= Clock.monotonic {
                    calls[index].fd = SocketAddress.open(SOCK_STREAM)
                    _ = address.with { connect(calls[index].fd, $0, $1) }
                    begun += 1
                }
            }
            part = (part + 1) % parts
            state.withLock { ($0.begun, $0.open) = (begun, calls.count { $0.said > 0 }) }
            usleep(UInt32(pause * 1e6 / Double(parts)))
        }
    }

    /// Sends the next byte; returns whether the connection is still open.
    private func talk(_ call: inout (fd: Int32, said: Int, next: Double), _ greeting: [UInt8]) -> Bool {
        var byte: UInt8 = 0
        let heard = recv(call.fd, &byte, 1, Int32(MSG_PEEK))
        guard heard < 0, errno == EAGAIN || errno == ENOTCONN else { return false }
        guard call.said < greeting.count - 1 else { return true }
        byte = greeting[call.said]
        if send(call.fd, &byte, 1, Int32(MSG_NOSIGNAL)) == 1 {
            call.said += 1
        } else {
            return errno == EAGAIN
        }
        return true
    }
}
