import Engine
import Glibc
import Lab
import Packet
import Proto

/// Many clients in one process: each an Engine with its own key, two paths and two real sockets.
final class Swarm {
    /// One client.
    final class Member {
        /// Its address inside.
        let address: IPAddress
        let publicKey: PublicKey
        fileprivate var engine: Engine
        /// The sockets of paths 1 and 2, connected to the server.
        fileprivate let sockets: [Int32]

        fileprivate init(_ number: Int, server: PublicKey, endpoint: Endpoint, now: Instant) {
            var entropy = Entropy(seed: (0..<32).map { UInt8(truncatingIfNeeded: number >> ($0 % 4 * 8)) })
            let key = PrivateKey.generate(&entropy)
            publicKey = key.publicKey
            address = IPAddress(v4: 0x0A4D_1000 + UInt32(number))
            engine = Engine(
                EngineConfiguration(
                    role: .client, peers: [.init(name: "server", publicKey: server)], poolCapacity: 16),
                staticKey: key, seed: Sodium.systemSeed())
            sockets = [Self.socket(to: endpoint), Self.socket(to: endpoint)]
            for path in 1...2 as ClosedRange<UInt16> {
                engine.setPath(path, role: .primary, link: Link(socket: path, remote: endpoint), now: now)
            }
        }

        private static func socket(to endpoint: Endpoint) -> Int32 {
            let descriptor = Glibc.socket(
                AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = endpoint.port.bigEndian
            name.sin_addr.s_addr = UInt32(truncatingIfNeeded: endpoint.address.low).bigEndian
            let result = withUnsafeBytes(of: name) {
                connect(
                    descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
            }
            precondition(descriptor >= 0 && result == 0, "no socket for the swarm (errno \(errno))")
            return descriptor
        }

        deinit { for socket in sockets { close(socket) } }
    }

    private(set) var members: [Member] = []
    private let endpoint: Endpoint
    private var polled: [pollfd] = []
    private var outbox = Outbox()
    private var buffer = [UInt8](repeating: 0, count: 2048)

    /// Creates `count` clients of the server with that key, in `namespace`. They connect only in `run`.
    init(_ count: Int, in namespace: Namespace, server key: String, endpoint: Endpoint) {
        self.endpoint = endpoint
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let server = PublicKey(base64: key)!
        members = namespace.inside {
            (0..<count).map { Member($0, server: server, endpoint: endpoint, now: Self.now) }
        }
        polled = members.flatMap(\.sockets).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    }

    private static var now: Instant { Instant(nanoseconds: UInt64(Clock.monotonic * 1e9)) }

    /// The number of clients that have a session with both paths up.
    var whole: Int {
        members.count { member in
            let paths = member.engine.reports(now: Self.now).first?.paths ?? []
            return paths.count == 2 && paths.allSatisfy { $0.state == .up }
        }
    }

    /// Runs all of them for this long, or until all have both paths up.
    func run(seconds: Double, untilWhole: Bool = false) {
        let end = Clock.monotonic + seconds
        var nextLook = Clock.monotonic
        while Clock.monotonic < end {
            poll(&polled, nfds_t(polled.count), 5)
            for (index, descriptor) in polled.enumerated() where descriptor.revents != 0 { receive(index) }
            let now = Self.now
            for member in members where member.engine.nextDeadline() <= now { service(member, now) }
            guard untilWhole, Clock.monotonic > nextLook else { continue }
            if whole == members.count { return }
            nextLook = Clock.monotonic + 0.1
        }
    }

    /// Sends one packet from each client inside, to a port of the server where no program listens: an answer
    /// comes back.
    func sendOneEach(to server: IPAddress) {
        for member in members {
            let slot = member.engine.reserve()
            precondition(slot != .none)
            let room = member.engine.room(of: slot)
            // IPv4 and UDP headers; a UDP checksum of 0 means none.
            room.copyBytes(from: [0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, 17, 0, 0])
            room.storeBigEndian(UInt32(truncatingIfNeeded: member.address.low), at: 12)
            room.storeBigEndian(UInt32(truncatingIfNeeded: server.low), at: 16)
            room.storeBigEndian(UInt64(30_000 << 48 | 9 << 32 | 8 << 16), at: 20)
            var sum = (0..<10).reduce(UInt32(0)) { sum, word in
                sum + UInt32(UnsafeRawBufferPointer(room).bigEndian(at: word * 2, as: UInt16.self))
            }
            while sum >> 16 > 0 { sum = sum & 0xFFFF + sum >> 16 }
            room.storeBigEndian(~UInt16(sum), at: 10)
            member.engine.send(slot, length: 28, now: Self.now)
        }
    }

    private func receive(_ index: Int) {
        let member = members[index / 2]
        while true {
            let count = recv(polled[index].fd, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            buffer.withUnsafeBytes {
                member.engine.receive(
                    UnsafeRawBufferPointer(rebasing: $0[..<count]),
                    from: Link(socket: UInt16(index % 2 + 1), remote: endpoint), now: Self.now)
            }
        }
    }

    private func service(_ member: Member, _ now: Instant) {
        let wall = Timestamp(seconds: UInt64(Clock.wall), nanoseconds: 0)
        var isDone = false
        while !isDone {
            isDone = member.engine.service(into: &outbox, now: now, wall: wall)
            for index in 0..<outbox.count {
                let datagram = outbox.datagram(outbox[index])
                _ = send(
                    member.sockets[Int(outbox[index].link.socket) - 1], datagram.baseAddress, datagram.count,
                    0)
            }
            outbox.clear()
        }
        while true {
            let slot = member.engine.takeDelivery()
            if slot == .none { break }
            member.engine.release(slot)
        }
        _ = member.engine.takeEvents()
    }
}
