import Commands
import Control
import Engine
import Glibc
import Packet
import Proto
import Scheduler
import Settings
import Transport

/// `bondd join`: shakes hands with an invitation's keys, says which key is to be a client's, and waits for the server's word.
/// An Engine on sockets of its own, without a tunnel.
struct Enroller: ~Copyable {
    /// What came of it.
    enum Result: Equatable {
        case outcome(EnrolOutcome)
        /// Nobody answered at all.
        case silence
        /// The server is there, and does not know the invitation.
        case unknown
        /// The server's answer to another version of the protocol.
        case anotherVersion
        /// The server uses another cipher suite.
        case anotherSuite
        /// The server could not store it within the time.
        case unavailable
    }

    /// So long, some ten inits, nobody answers before that is said. One who answers gets more time to store the client.
    private static let longestSilence = Interval.seconds(12)

    private var engine: Engine
    private var outbox = Outbox()
    private var batch = ReceiveBatch()
    private var sockets: [UDPSocket] = []
    private var refusal: Result?

    /// Gets ready to enrol `publicKey`.
    init(_ link: JoinLink, publicKey: PublicKey, host: String, suite: CipherSuite) {
        let keys = InvitationKeys(secret: link.secret, server: link.server)
        var configuration = EngineConfiguration(
            role: .client,
            peers: [.init(name: "server", publicKey: link.server, presharedKey: keys.presharedKey)],
            suite: suite, poolCapacity: 64)
        configuration.enrolment = .init(publicKey: publicKey, host: host)
        engine = Engine(configuration, staticKey: keys.privateKey, seed: Sodium.systemSeed())
    }

    /// Tries all of the server's addresses at once, over whatever interface leads there.
    /// - Parameter seconds: how long to wait; blocks that long at the most.
    mutating func enrol(at endpoints: [Endpoint], seconds: Int) throws -> Result {
        let start = DataPlane.clock()
        for (index, endpoint) in endpoints.prefix(Lanes.maximum).enumerated() {
            guard
                let socket = try? DatagramSocket(
                    boundTo: nil, family: endpoint.address.family, wantsOffloads: false)
            else { continue }
            sockets.append(UDPSocket(socket, number: UInt16(index)))
            engine.setPath(
                UInt16(index), role: .primary, link: Link(socket: UInt16(index), remote: endpoint), now: start
            )
        }
        guard !sockets.isEmpty else { throw Failure("the kernel gives no UDP socket; see ulimit -n") }
        var last: Result?
        var isHeard = false
        while DataPlane.clock() - start < .seconds(Int64(seconds)) {
            if let result = turn() {
                if result != .outcome(.unavailable) {
                    close()
                    return result
                }
                last = .unavailable
            }
            isHeard = isHeard || !engine.reports(now: start).isEmpty
            if !isHeard && refusal == nil && DataPlane.clock() - start > Self.longestSilence {
                return .silence
            }
            // A stranger's refusal may be a forged copy of an old one no more than an answer could be, but a server that is
            // just being set up may know the invitation in a moment.
            if let refusal, DataPlane.clock() - start > .seconds(5) { return refusal }
            wait()
        }
        close()
        return last ?? refusal ?? .silence
    }

    /// Lets the Engine do what is due, and reads what it says.
    private mutating func turn() -> Result? {
        while !engine.service(into: &outbox, now: DataPlane.clock(), wall: DataPlane.wall()) { flush() }
        flush()
        var result: Result?
        for event in engine.takeEvents() {
            switch event {
            case .enrolled(let outcome): result = .outcome(outcome)
            case .keyRefused: refusal = .unknown
            case .versionRefused: refusal = .anotherVersion
            case .suiteRefused: result = .anotherSuite
            default: break
            }
        }
        return result
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

    /// Waits for datagrams, 50 ms at the most, and hands them to the Engine.
    private mutating func wait() {
        var watched = sockets.map { pollfd(fd: $0.socket.fileDescriptor, events: Int16(POLLIN), revents: 0) }
        guard poll(&watched, nfds_t(watched.count), 50) > 0 else { return }
        let now = DataPlane.clock()
        for (socket, watched) in zip(sockets, watched) where watched.revents != 0 {
            guard socket.socket.receive(into: &batch) > 0 else { continue }
            for index in 0..<batch.count {
                engine.receive(
                    batch.datagram(index), from: batch.link(index, socket: socket.number), now: now)
            }
        }
    }

    private mutating func close() {
        engine.closeAll(into: &outbox, now: DataPlane.clock())
        flush()
    }
}
