import CLinux
// Whichever of these the compiler loads first has SOCK_DGRAM.
import CNetlink
import Glibc
import Packet
import Settings
import Synchronization

/// Resolves server names on threads of its own, as getaddrinfo may take half a minute, and hands the results over
/// through a mailbox that epoll can watch.
public final class Resolver: Sendable {
    /// What became of one `resolve`.
    public struct Resolution: Hashable, Sendable {
        /// What was asked.
        public let name: HostPort
        /// The endpoints in the order of RFC 6724; empty when there are none.
        public let endpoints: [Endpoint]
        /// One sentence that says why there are none; nil when there are.
        public let problem: String?
    }

    /// Threads at once; more names wait their turn.
    public static let maximumThreads = 4

    private struct State {
        var waiting: [HostPort] = []
        var running: [HostPort] = []
        var done: [Resolution] = []
        var threads = 0
    }

    /// Readable when there are results to `take`; it does not block and is closed on exec.
    public let fileDescriptor: Int32
    private let state = Mutex(State())

    /// - Throws: `ControlError.file` when there is no eventfd to be had.
    public init() throws(ControlError) {
        fileDescriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard fileDescriptor >= 0 else { throw .file("open", path: "an eventfd", errno: errno) }
    }

    /// Threads hold the resolver, so the last of them closes this.
    deinit { close(fileDescriptor) }

    /// Begins to resolve `name`; the answer comes with `take`. An address is its own answer. A name that is
    /// being resolved is not asked twice.
    public func resolve(_ name: HostPort) {
        if let endpoint = name.endpoint {
            finish(Resolution(name: name, endpoints: [endpoint], problem: nil))
            return
        }
        let needsThread = state.withLock { state in
            guard !state.waiting.contains(name), !state.running.contains(name) else { return false }
            state.waiting.append(name)
            guard state.threads < Self.maximumThreads else { return false }
            state.threads += 1
            return true
        }
        if needsThread, let code = startThread() {
            state.withLock { $0.threads -= 1 }
            let reason = String(cString: strerror(code))
            while let name = state.withLock({ $0.waiting.popLast() }) {
                finish(Resolution(name: name, endpoints: [], problem: "could not resolve \(name): \(reason)"))
            }
        }
    }

    /// The results since the last call.
    public func take() -> [Resolution] {
        var count: UInt64 = 0
        _ = read(fileDescriptor, &count, 8)
        return state.withLock { state in
            defer { state.done = [] }
            return state.done
        }
    }

    private func finish(_ resolution: Resolution) {
        state.withLock { $0.done.append(resolution) }
        var one: UInt64 = 1
        _ = write(fileDescriptor, &one, 8)
    }

    /// Nil, or the errno.
    private func startThread() -> Int32? {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let held = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, &attributes,
            { held in
                Unmanaged<Resolver>.fromOpaque(held!).takeRetainedValue().work()
                return nil
            }, held.toOpaque())
        if code == 0 { return nil }
        held.release()
        return code
    }

    /// What a thread does: one name after the other, until none waits.
    private func work() {
        var last: HostPort?
        while let name = next(after: last) {
            finish(Self.look(name))
            last = name
        }
    }

    private func next(after last: HostPort?) -> HostPort? {
        state.withLock { state in
            if let last { state.running.removeAll { $0 == last } }
            if state.waiting.isEmpty {
                state.threads -= 1
                return nil
            }
            let name = state.waiting.removeFirst()
            state.running.append(name)
            return name
        }
    }

    /// Asks getaddrinfo and waits for it.
    private static func look(_ name: HostPort) -> Resolution {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name.host, nil, &hints, &list)
        defer { if code == 0 { freeaddrinfo(list) } }
        guard code == 0 else {
            let reason = String(cString: gai_strerror(code))
            return Resolution(name: name, endpoints: [], problem: "could not resolve \(name.host): \(reason)")
        }
        var endpoints: [Endpoint] = []
        var entry = list
        while let info = entry?.pointee {
            entry = info.ai_next
            let bytes = UnsafeRawBufferPointer(start: info.ai_addr, count: Int(info.ai_addrlen))
            let address: IPAddress
            switch info.ai_family {
            case AF_INET where bytes.count >= 8: address = IPAddress(.v4, bytes: bytes.dropping(4))
            case AF_INET6 where bytes.count >= 24: address = IPAddress(.v6, bytes: bytes.dropping(8))
            default: continue
            }
            let endpoint = Endpoint(address: address, port: name.port)
            if !endpoints.contains(endpoint) { endpoints.append(endpoint) }
        }
        let problem = endpoints.isEmpty ? "\(name.host) has no address; correct the name" : nil
        return Resolution(name: name, endpoints: endpoints, problem: problem)
    }
}
