import CLinux
import Glibc
import Packet
import Runtime

/// Queries name servers, each either as programs would or over one uplink only, and reports which of them answer.
package struct NameServerProbe: Sendable {
    /// A server and the route to it.
    package struct Target: Hashable, Sendable {
        /// The server's address.
        package var server: IPAddress
        /// The uplink's interface, outside the tunnel; nil means the host's routes decide.
        package var interface: String?

        /// A server to query over an uplink, or as programs do.
        package init(_ server: IPAddress, by interface: String? = nil) {
            (self.server, self.interface) = (server, interface)
        }
    }

    /// The result of a probe.
    package struct Answers: Equatable, Sendable {
        /// Targets that answer queries from this host.
        package var good: Set<Target> = []
        /// Targets that respond but refuse, or fail to resolve.
        package var refusing: Set<Target> = []

        /// No answers.
        package init() {}
    }

    /// When queries are sent, in milliseconds from the start: sized for a path with a satellite's round trip,
    /// twice.
    private static let sendings = [0, 400, 1100]
    /// Total time to wait for an answer, in milliseconds.
    private static let patience = 2500
    /// Further time in milliseconds after the first good answer, and after one from a fallback: enough for a
    /// resolver beyond a satellite that has to query others.
    private static let grace = 300
    private static let longGrace = 1300
    /// Maximum number of targets queried at once: sixteen paths, a resolver's three servers, and some spare.
    private static let most = 64

    private let targets: [Target]
    private let preferred: Set<Target>

    /// Prepares a probe without starting it.
    /// - Parameter others: fallback targets, queried at the same time.
    package init(_ targets: [Target], or others: [Target] = []) {
        preferred = Set(targets)
        self.targets = Array((targets + others.filter { !targets.contains($0) }).prefix(Self.most))
    }

    /// All targets, including fallbacks.
    package var all: [Target] { targets }

    /// Queries all targets at once. Blocks for at most 2.5 s, and after the first good answer for at most 0.3 s,
    /// or 1.3 s if it is a fallback's.
    package func ask() -> Answers {
        var answers = Answers()
        var open = targets.compactMap { OpenQuestion($0) }
        let start = Self.milliseconds
        var end = start + Self.patience
        var sent = 0
        // A fallback is not waited for once all other targets have answered.
        while open.contains(where: { preferred.contains($0.target) }) || answers.good.isEmpty && !open.isEmpty
        {
            let now = Self.milliseconds
            if sent < Self.sendings.count, now >= start + Self.sendings[sent] {
                for question in open { question.send() }
                sent += 1
            }
            guard now < end else { break }
            let next = sent < Self.sendings.count ? start + Self.sendings[sent] : end
            var watched = open.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            guard poll(&watched, nfds_t(watched.count), Int32(max(1, min(next, end) - now))) > 0 else {
                continue
            }
            for (question, watched) in zip(open, watched) where watched.revents != 0 {
                guard let answer = question.receive() else { continue }
                if answer == .good {
                    let grace = preferred.contains(question.target) ? Self.grace : Self.longGrace
                    end = min(end, Self.milliseconds + grace)
                    answers.good.insert(question.target)
                } else {
                    answers.refusing.insert(question.target)
                }
            }
            let settled = answers.good.union(answers.refusing)
            open.removeAll { question in
                guard settled.contains(question.target) else { return false }
                close(question.descriptor)
                return true
            }
        }
        for question in open { close(question.descriptor) }
        return answers
    }

    /// The monotonic clock in milliseconds.
    private static var milliseconds: Int { Int(Clock.monotonic / 1_000_000) }
}

/// A query that awaits its answer. The caller closes its socket.
private struct OpenQuestion {
    let target: NameServerProbe.Target
    let descriptor: Int32
    private let question = ServingQuestion(id: .random(in: .min ... .max))

    /// Opens a socket; nil if there is no route to the server.
    init?(_ target: NameServerProbe.Target) {
        self.target = target
        let family = target.server.family == .v4 ? AF_INET : AF_INET6
        descriptor = socket(
            family,
            Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
                | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        guard bind(to: target.interface), connect(to: target.server) else {
            close(descriptor)
            return nil
        }
    }

    /// Binds the socket to an uplink and marks it as bondd's, so that it may leave outside the tunnel.
    private func bind(to interface: String?) -> Bool {
        guard let interface else { return true }
        var mark = TunnelMark.value
        let size = socklen_t(MemoryLayout<UInt32>.size)
        return setsockopt(
            descriptor, SOL_SOCKET, SO_BINDTODEVICE, interface, socklen_t(interface.utf8.count)) == 0
            && setsockopt(descriptor, SOL_SOCKET, SO_MARK, &mark, size) == 0
    }

    private func connect(to server: IPAddress) -> Bool {
        var bytes = [UInt8](repeating: 0, count: server.byteCount)
        bytes.withUnsafeMutableBytes { server.write(to: $0) }
        let port = UInt16(53).bigEndian
        if server.family == .v4 {
            var address = sockaddr_in()
            (address.sin_family, address.sin_port) = (sa_family_t(AF_INET), port)
            withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: bytes) }
            return Self.connect(descriptor, &address)
        }
        var address = sockaddr_in6()
        (address.sin6_family, address.sin6_port) = (sa_family_t(AF_INET6), port)
        withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: bytes) }
        return Self.connect(descriptor, &address)
    }

    private static func connect<Address>(_ descriptor: Int32, _ address: inout Address) -> Bool {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size)) == 0
            }
        }
    }

    func send() {
        question.bytes.withUnsafeBytes { _ = Glibc.send(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// The first datagram that answers the query; nil if there is none. An error that the network reports, such
    /// as a closed port, counts as silence, because the next query may succeed.
    func receive() -> ServingQuestion.Answer? {
        var buffer = [UInt8](repeating: 0, count: 2048)
        for _ in 0..<16 {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            if let answer = question.judge(buffer[..<count]) { return answer }
        }
        return nil
    }
}
