import Commands
import Daemon
import Engine
import Glibc
import Host
import Packet
import Proto
import Runtime
import Scheduler
import Settings
import Transport

/// `bondd join`: shakes hands with an invitation's keys, names the key that the new client is going to use,
/// and waits for the server's outcome. An Engine with its own sockets and no tunnel.
struct Enroller: ~Copyable {
    /// Outcome of the enrolment.
    enum Result: Equatable {
        case outcome(EnrolOutcome)
        /// No answer at all.
        case silence
        /// The server answers but does not know the invitation.
        case unknown
        /// The server answered a different version of the protocol.
        case anotherVersion
        /// The server uses another cipher suite.
        case anotherSuite
        /// The server could not store the client in time.
        case unavailable
    }

    /// Silence after which the server counts as unreachable: about eight inits over every path. A server that
    /// answers gets more time to store the client.
    private static let longestSilence = Interval.seconds(9)
    /// Time without a resolved address of the server after which the lookup counts as failed.
    private static let longestLookup = Interval.seconds(9)

    private var engine: Engine
    private var outbox = Outbox()
    private var batch = ReceiveBatch()
    private var sockets: [UDPSocket] = []
    /// The Engine's links, by path.
    private var links: [[Link]] = []
    private var refusal: Result?
    /// The preshared key that the server gave the new client; `nil` if the server gives none.
    private(set) var secret: ClientSecret?

    /// Prepares to enrol the public key of `key`.
    init(_ link: JoinLink, key: borrowing PrivateKey, host: String, suite: CipherSuite) {
        let keys = InvitationKeys(secret: link.secret, server: link.server)
        var configuration = EngineConfiguration(
            role: .client,
            peers: [.init(name: "server", publicKey: link.server, presharedKey: keys.presharedKey)],
            suite: suite, poolCapacity: 64)
        configuration.enrolment = .init(
            publicKey: key.publicKey, host: host,
            proof: try? EnrolProof(own: key, other: link.server, invitation: keys.privateKey.publicKey))
        engine = Engine(configuration, staticKey: keys.privateKey, seed: Sodium.systemSeed())
    }

    /// Tries all of the server's addresses at once, over every path that the host has.
    /// - Parameter seconds: time limit; blocks at most that long.
    mutating func enrol(_ search: inout ServerSearch, seconds: Int) throws -> Result {
        let start = Instant.now
        var triedSince: Instant?
        var last: Result?
        var isHeard = false
        while Instant.now - start < .seconds(Int64(seconds)) {
            search.look(now: Instant.now)
            try follow(search)
            if triedSince == nil && !search.endpoints.isEmpty { triedSince = Instant.now }
            if triedSince == nil && Instant.now - start > Self.longestLookup {
                throw Failure(search.problem ?? Self.noAddress)
            }
            if let result = turn() {
                if result != .outcome(.unavailable) {
                    close()
                    return result
                }
                last = .unavailable
            }
            isHeard = isHeard || !engine.reports(now: start).isEmpty
            let silence = triedSince.map { Instant.now - $0 } ?? .zero
            if !isHeard && refusal == nil {
                search.probe(silence: silence, now: Instant.now)
                if silence > Self.longestSilence { return .silence }
            }
            // A refusal is as hard to forge or replay as an answer, but a server that is still being set up may
            // know the invitation in a moment.
            if let refusal, Instant.now - start > .seconds(5) { return refusal }
            wait(besides: search.fileDescriptor)
        }
        close()
        return last ?? refusal ?? .silence
    }

    private static var noAddress: String {
        "no address of the server was found; check the name in the link and this host's DNS"
    }

    /// Tells the Engine which paths and endpoints are known by now.
    private mutating func follow(_ search: ServerSearch) throws {
        let endpoints = search.endpoints
        for (number, way) in search.ways.enumerated() {
            var wanted: [Link] = []
            for endpoint in way.usable(endpoints) {
                let socket = UInt16(number * 2) + (endpoint.address.family == .v4 ? 0 : 1)
                guard open(socket, by: way, endpoint.address.family) else { continue }
                wanted.append(Link(socket: socket, remote: endpoint))
            }
            if links.count <= number { links.append([]) }
            guard wanted != links[number] else { continue }
            links[number] = wanted
            engine.setPath(
                UInt16(number), role: .primary, link: wanted.first, others: Array(wanted.dropFirst()),
                now: Instant.now)
        }
        guard endpoints.isEmpty || !sockets.isEmpty else {
            throw Failure("the kernel refuses UDP sockets; raise the limit on open files (ulimit -n)")
        }
    }

    /// Opens the socket with that number unless it is open already.
    private mutating func open(_ number: UInt16, by way: EnrolmentWay, _ family: IPAddress.Family) -> Bool {
        if sockets.contains(where: { $0.number == number }) { return true }
        guard
            let socket = try? DatagramSocket(
                boundTo: way.interface?.name, family: family, wantsOffloads: false,
                mark: way.interface == nil ? 0 : TunnelMark.value)
        else { return false }
        sockets.append(UDPSocket(socket, number: number))
        return true
    }

    /// Lets the Engine do its pending work, and reads its events.
    private mutating func turn() -> Result? {
        while !engine.service(into: &outbox, now: Instant.now, wall: Timestamp.now) { flush() }
        flush()
        var result: Result?
        for event in engine.takeEvents() {
            switch event {
            case .secret(let given): secret = given
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

    /// Waits at most 50 ms for datagrams or for another descriptor, and hands the datagrams to the Engine.
    private mutating func wait(besides descriptor: Int32) {
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

    private mutating func close() {
        engine.closeAll(into: &outbox, now: Instant.now)
        flush()
    }
}
