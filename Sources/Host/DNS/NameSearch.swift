import Glibc
import Packet

/// Looks up a name's addresses over several uplinks at once, with sockets bound to the uplinks and marked
/// (`TunnelMark`), so that the queries never enter the tunnel. Blocks for seconds, so it needs a thread of its
/// own.
struct NameSearch: ~Copyable {
    /// Maximum number of uplinks queried: that of a session's paths.
    private static let mostWays = 16
    private static let port = "53"
    /// Queries are retransmitted twice, a second apart.
    private static let pause = 1000
    private static let rounds = 3
    /// Once one uplink's servers have answered, the others get this long in ms: a network that translates to
    /// IPv4 has addresses of its own.
    private static let grace = 300

    private struct Line {
        let descriptor: Int32
        /// The number of the uplink.
        let way: Int
        let questions: [NameQuestion]
        /// Which of the questions have been answered.
        var answered: [Bool]
    }

    private let ways: [NameWay]
    private var lines: [Line] = []
    private var found: [[IPAddress]]

    private init(_ name: String, _ kinds: [NameQuestion.Kind], by ways: [NameWay]) {
        self.ways = Array(ways.prefix(Self.mostWays))
        found = self.ways.map { _ in [] }
        for (number, way) in self.ways.enumerated() {
            for server in way.servers {
                let questions = kinds.compactMap {
                    NameQuestion(name, $0, id: UInt16.random(in: .min ... .max))
                }
                guard !questions.isEmpty, let descriptor = Self.connect(to: server, by: way) else { continue }
                lines.append(
                    Line(
                        descriptor: descriptor, way: number, questions: questions,
                        answered: questions.map { _ in false }))
            }
        }
    }

    deinit { for line in lines { close(line.descriptor) } }

    /// The addresses found over each uplink, in the order of `ways`.
    static func addresses(
        of name: String, _ kinds: [NameQuestion.Kind] = NameQuestion.Kind.allCases, by ways: [NameWay]
    ) -> [[IPAddress]] {
        var search = NameSearch(name, kinds, by: ways)
        search.run()
        return search.found
    }

    /// A socket for one server over one uplink; nil if the server is unreachable.
    private static func connect(to server: IPAddress, by way: NameWay) -> Int32? {
        var hints = addrinfo()
        (hints.ai_flags, hints.ai_socktype) = (AI_NUMERICHOST | AI_NUMERICSERV, Int32(SOCK_DGRAM.rawValue))
        var list: UnsafeMutablePointer<addrinfo>?
        let host = server.isLinkLocal && server.family == .v6 ? "\(server)%\(way.interface)" : "\(server)"
        guard getaddrinfo(host, port, &hints, &list) == 0, let place = list?.pointee else { return nil }
        defer { freeaddrinfo(list) }
        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(place.ai_family, kind, 0)
        guard descriptor >= 0 else { return nil }
        var mark = TunnelMark.value
        guard
            setsockopt(descriptor, SOL_SOCKET, SO_MARK, &mark, 4) == 0,
            setsockopt(
                descriptor, SOL_SOCKET, SO_BINDTODEVICE, way.interface, socklen_t(way.interface.utf8.count))
                == 0,
            Glibc.connect(descriptor, place.ai_addr, place.ai_addrlen) == 0
        else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private mutating func run() {
        let start = Self.clock()
        var end = start + Self.pause * Self.rounds
        var round = 0
        while !lines.isEmpty {
            let now = Self.clock()
            if round < Self.rounds && now >= start + round * Self.pause {
                ask()
                round += 1
            }
            if hasAnswer && now < end - Self.grace && end == start + Self.pause * Self.rounds {
                end = now + Self.grace
            }
            guard now < end, lines.contains(where: { $0.answered.contains(false) }) else { return }
            let next = round < Self.rounds ? min(end, start + round * Self.pause) : end
            listen(milliseconds: max(1, next - now))
        }
    }

    /// Whether some uplink's server has answered every question, with at least one address.
    private var hasAnswer: Bool {
        lines.contains { !$0.answered.contains(false) && !found[$0.way].isEmpty }
    }

    private func ask() {
        for line in lines {
            for (question, isAnswered) in zip(line.questions, line.answered) where !isAnswered {
                _ = send(line.descriptor, question.datagram, question.datagram.count, 0)
            }
        }
    }

    private mutating func listen(milliseconds: Int) {
        var watched = lines.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        guard poll(&watched, nfds_t(watched.count), Int32(milliseconds)) > 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 1500)
        for index in lines.indices where watched[index].revents != 0 {
            let count = recv(lines[index].descriptor, &buffer, buffer.count, 0)
            if count < 0 && errno == ECONNREFUSED {
                // No server is listening there.
                lines[index].answered = lines[index].answered.map { _ in true }
            }
            guard count > 0 else { continue }
            buffer.withUnsafeBytes { take(UnsafeRawBufferPointer(rebasing: $0[..<count]), on: index) }
        }
    }

    private mutating func take(_ datagram: UnsafeRawBufferPointer, on index: Int) {
        for (number, question) in lines[index].questions.enumerated() {
            guard let answer = question.answer(in: datagram) else { continue }
            lines[index].answered[number] = true
            if case .addresses(let addresses) = answer {
                let way = lines[index].way
                found[way] += addresses.filter { !found[way].contains($0) }
            }
        }
    }

    /// The monotonic clock in milliseconds.
    private static func clock() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
