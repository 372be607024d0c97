import CLinux
import Glibc

/// End users of an echo service: they connect by TCP or UDP, send a message, and wait for its echo.
public final class Callers {
    private enum Phase: UInt8 { case idle, connecting, waiting, answered }

    private let namespace: Namespace
    private let address: SocketAddress
    private let isUDP: Bool
    private let request: [UInt8]
    private let readiness: Readiness
    private var buffer = [UInt8](repeating: 0, count: 65_536)
    /// The phases by descriptor.
    private var phases: [Phase] = []
    private var received: [Int] = []
    /// The connections that stay open.
    private var held: [Int32] = []

    /// - Parameters:
    ///   - saying: the message.
    /// Throws `badAddress` or `system`.
    public init(
        in namespace: Namespace, to address: String, port: UInt16, udp: Bool = false, saying: [UInt8] = [65]
    ) throws(LabError) {
        self.namespace = namespace
        self.address = try SocketAddress(address, port: port)
        isUDP = udp
        request = saying
        readiness = try Readiness()
    }

    deinit { hangUp() }

    /// Makes calls repeatedly, `parallel` at a time; returns how many are completed in a second, and how many
    /// failed.
    public func rate(parallel: Int, seconds: Double) -> (perSecond: Double, failed: Int) {
        var (answered, failed, open) = (0, 0, 0)
        let start = Clock.monotonic
        namespace.inside {
            while true {
                let isOver = Clock.monotonic > start + seconds
                while open < parallel && !isOver { if begin() >= 0 { open += 1 } else { failed += 1 } }
                if open == 0 || Clock.monotonic > start + seconds + 3 { break }
                readiness.wait(seconds: 0.1) { fd, kinds in
                    guard let isAnswered = step(fd, kinds) else { return }
                    if isAnswered { answered += 1 } else { failed += 1 }
                    end(fd)
                    open -= 1
                }
            }
        }
        return (Double(answered) / (Clock.monotonic - start), failed + open)
    }

    /// Makes calls that stay open, `parallel` at a time; returns how many were answered.
    public func hold(_ count: Int, parallel: Int = 200, seconds: Double = 20) -> Int {
        let before = held.count
        var (begun, open) = (0, 0)
        let deadline = Clock.monotonic + seconds
        namespace.inside {
            while (begun < count || open > 0) && Clock.monotonic < deadline {
                while open < parallel && begun < count {
                    if begin() >= 0 { open += 1 }
                    begun += 1
                }
                readiness.wait(seconds: 0.1) { fd, kinds in
                    guard let isAnswered = step(fd, kinds) else { return }
                    open -= 1
                    if isAnswered { held.append(fd) } else { end(fd) }
                }
            }
        }
        return held.count - before
    }

    /// Sends another message on all open calls, `parallel` at a time; returns how many were answered.
    public func callAgain(parallel: Int = 200, seconds: Double = 20) -> Int {
        var (answered, next, open) = (0, 0, 0)
        let deadline = Clock.monotonic + seconds
        while (next < held.count || open > 0) && Clock.monotonic < deadline {
            while open < parallel && next < held.count {
                say(held[next])
                next += 1
                open += 1
            }
            readiness.wait(seconds: 0.1) { fd, kinds in
                guard let isAnswered = step(fd, kinds) else { return }
                open -= 1
                if isAnswered { answered += 1 }
            }
        }
        return answered
    }

    /// Makes one call; returns the time until the answer in ms, infinite if none came within 10 s.
    public func call() -> Double {
        let start = Clock.monotonic
        var result = Double.infinity
        namespace.inside {
            let fd = begin()
            guard fd >= 0 else { return }
            var isOver = false
            while !isOver && Clock.monotonic < start + 10 {
                readiness.wait(seconds: 0.1) { other, kinds in
                    guard other == fd, let isAnswered = step(fd, kinds) else { return }
                    if isAnswered { result = (Clock.monotonic - start) * 1000 }
                    isOver = true
                }
            }
            end(fd)
        }
        return result
    }

    /// Ends the open calls.
    public func hangUp() {
        for fd in held { end(fd) }
        held = []
    }

    /// Starts a call; returns its descriptor, or -1.
    private func begin() -> Int32 {
        let fd = SocketAddress.open(isUDP ? SOCK_DGRAM : SOCK_STREAM)
        guard fd >= 0 else { return -1 }
        if Int(fd) >= phases.count {
            let more = Int(fd) + 1 - phases.count
            phases += Array(repeating: .idle, count: more)
            received += Array(repeating: 0, count: more)
        }
        guard address.with({ connect(fd, $0, $1) }) == 0 || errno == EINPROGRESS else {
            close(fd)
            return -1
        }
        phases[Int(fd)] = .connecting
        readiness.add(fd, changes: true)
        return fd
    }

    /// Handles an event of a call: whether it was answered, or failed; nil if it continues.
    private func step(_ fd: Int32, _ kinds: UInt32) -> Bool? {
        let failed = kinds & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
        switch phases[Int(fd)] {
        case .idle, .answered: return nil
        case .connecting:
            if failed { return false }
            say(fd)
            return nil
        case .waiting:
            guard kinds & EPOLLIN.rawValue != 0 || failed else { return nil }
            while true {
                let count = recv(fd, &buffer, buffer.count, 0)
                if count < 0 && errno == EAGAIN { return nil }
                guard count > 0 else { return false }
                received[Int(fd)] += count
                if received[Int(fd)] >= request.count { break }
            }
            phases[Int(fd)] = .answered
            return true
        }
    }

    private func say(_ fd: Int32) {
        phases[Int(fd)] = .waiting
        received[Int(fd)] = 0
        _ = send(fd, request, request.count, Int32(MSG_NOSIGNAL))
    }

    private func end(_ fd: Int32) {
        phases[Int(fd)] = .idle
        close(fd)
    }
}
