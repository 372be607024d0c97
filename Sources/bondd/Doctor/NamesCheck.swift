import Daemon
import Glibc
import Packet
import Runtime
import Settings
import Transport

/// The host's name servers: each gets a query over the host's route to it, inside the tunnel or outside.
struct NamesCheck: HostCheck {
    /// A name server's answer.
    enum Answer: Equatable {
        case answered
        /// RCODE 5 (RFC 1035 section 4.1.1): the server refuses to answer us.
        case refused
        case silence
    }

    /// As many as the C library tries (resolv.conf(5)).
    private static let mostServers = 3
    private static let patience: Int64 = 2000

    func findings(_ examination: Examination) -> [Finding] {
        guard let text = try? TextFile.read("/etc/resolv.conf", limit: 1 << 20) else {
            return [
                .warn(
                    "names", "/etc/resolv.conf can't be read, so names are not resolved",
                    "add one there: nameserver ADDRESS")
            ]
        }
        let servers = Self.servers(in: text)
        guard !servers.isEmpty else {
            return [.warn("names", "/etc/resolv.conf names no server", "add one there: nameserver ADDRESS")]
        }
        let answers = Self.ask(servers, examination.time(atMost: Self.patience))
        return Self.judge(zip(servers, answers).map { ($0, $1) }, isClient: examination.client != nil)
    }

    /// The addresses after `nameserver`.
    static func servers(in text: String) -> [IPAddress] {
        let addresses = text.split(whereSeparator: \.isNewline).compactMap { line -> IPAddress? in
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count >= 2, words[0] == "nameserver" else { return nil }
            return IPAddress(String(words[1].prefix { $0 != "%" }))
        }
        return Array(addresses.prefix(mostServers))
    }

    /// - Parameter isClient: whether bondd may be the reason that names can't be resolved; a server itself
    ///   needs no names.
    static func judge(_ answers: [(server: IPAddress, answer: Answer)], isClient: Bool) -> [Finding] {
        let works = answers.contains { $0.answer == .answered }
        let remedy =
            isClient
            ? "with a full tunnel, set [tunnel] dns, or [offer] dns on the server, to a name server that is reached through it"
            : "name another in /etc/resolv.conf"
        return answers.map { server, answer in
            switch answer {
            case .answered: return .ok("names", "the name server \(server) answers")
            case .refused:
                let found = "the name server \(server) refuses this host"
                return works || !isClient ? .warn("names", found, remedy) : .fail("names", found, remedy)
            case .silence:
                let found = "the name server \(server) does not answer"
                return works || !isClient ? .warn("names", found, remedy) : .fail("names", found, remedy)
            }
        }
    }

    /// A query for the root's name servers, which any resolver knows (RFC 1035 section 4.1).
    static func question(_ number: UInt16) -> [UInt8] {
        [UInt8(number >> 8), UInt8(number & 0xFF), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1]
    }

    /// The answer in a datagram; `nil` if it does not belong to that query.
    static func read(_ datagram: UnsafeRawBufferPointer, to number: UInt16) -> Answer? {
        guard datagram.count >= 12, datagram.bigEndian(at: 0, as: UInt16.self) == number,
            datagram[2] & 0x80 != 0
        else { return nil }
        return datagram[3] & 15 == 5 ? .refused : .answered
    }

    private static func ask(_ servers: [IPAddress], _ milliseconds: Int64) -> [Answer] {
        var answers = servers.map { _ in Answer.silence }
        let sockets = servers.enumerated().map { index, server -> UDPSocket? in
            UDPSocket.opened(number: UInt16(index), family: server.family)
        }
        let first = UInt16.random(in: 1...60000)
        var outbox = Outbox()
        var batch = ReceiveBatch()
        let start = Instant.now
        // The kernel has no route, so don't wait for an answer.
        var isHopeless = servers.map { _ in false }
        // Sent twice, because a datagram may get lost.
        var sendings: [Int64] = [0, milliseconds / 2]
        while true {
            let elapsed = Int64((Instant.now - start).milliseconds)
            let isOver = zip(answers, isHopeless).allSatisfy { $0 != .silence || $1 }
            if elapsed >= milliseconds || isOver { return answers }
            if let due = sendings.first, elapsed >= due {
                sendings.removeFirst()
                for (index, server) in servers.enumerated() where answers[index] == .silence {
                    let question = question(first + UInt16(index))
                    guard let socket = sockets[index], let room = outbox.reserve(question.count) else {
                        continue
                    }
                    room.copyBytes(from: question)
                    let place = Endpoint(address: server, port: 53)
                    outbox.commit(question.count, to: Link(socket: UInt16(index), remote: place))
                    isHopeless[index] = socket.socket.send(outbox, entries: 0..<outbox.count).failed > 0
                    outbox.clear()
                }
            }
            var watched = sockets.map {
                pollfd(fd: $0?.socket.fileDescriptor ?? -1, events: Int16(POLLIN), revents: 0)
            }
            guard poll(&watched, nfds_t(watched.count), 50) > 0 else { continue }
            for (index, event) in watched.enumerated() where event.revents != 0 {
                guard let socket = sockets[index], socket.socket.receive(into: &batch) > 0 else { continue }
                for number in 0..<batch.count {
                    if let answer = read(batch.datagram(number), to: first + UInt16(index)) {
                        answers[index] = answer
                    }
                }
            }
        }
    }
}
