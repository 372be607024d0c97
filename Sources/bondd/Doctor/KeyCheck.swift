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

/// For a client whose daemon does not run: whether the server accepts its key, tried with a complete
/// handshake and a close.
struct KeyCheck: HostCheck {
    /// The outcome of the trial.
    enum Outcome: Equatable {
        case accepted
        case keyRefused
        case secretRefused
        case anotherSuite
        case anotherVersion
        /// Answers arrived but could not be decrypted.
        case anotherPresharedKey
        case silence
    }

    private static let patience: Int64 = 3000

    func findings(_ examination: Examination) -> [Finding] {
        guard let client = examination.client, let configuration = examination.configuration,
            examination.status == nil, examination.isRoot, !configuration.tunnel.privateKey.key.isEmpty
        else { return [] }
        let endpoints = client.allEndpoints.compactMap(\.endpoint)
        let uplinks = examination.facts.uplinks(of: client, tunnel: examination.tunnel)
        let ways = uplinks.flatMap { name in endpoints.map { (interface: name, endpoint: $0) } }.prefix(
            Lanes.maximum)
        if ways.isEmpty { return [] }
        var trial = Trial(configuration, state: examination.stateDirectory)
        return [Self.judge(trial.run(Array(ways), milliseconds: examination.time(atMost: Self.patience)))]
    }

    static func judge(_ outcome: Outcome) -> Finding {
        switch outcome {
        case .accepted: .ok("key", "the server accepts this host's key")
        case .keyRefused:
            .fail(
                "key", "the server does not know this host's key, or has revoked it",
                "ask for an invitation (bondd invite NAME there), and run bondd join LINK here")
        case .secretRefused:
            .fail(
                "key", "the server no longer has the secret from which this host's preshared key is derived",
                "ask for an invitation (bondd invite NAME there); run bondd leave and bondd join LINK here")
        case .anotherSuite:
            .fail("key", "the server uses another cipher", "set the same [tunnel] cipher on both ends")
        case .anotherVersion:
            .fail(
                "key", "the server speaks another version of the protocol",
                "update both ends to the same version")
        case .anotherPresharedKey:
            .fail(
                "key", "the server answers, but its answers can't be opened: the preshared keys differ",
                "give both ends the same preshared_key_file, or neither")
        case .silence:
            .fail(
                "key", "the server does not answer a handshake",
                "see udp above, and run bondd status on the server")
        }
    }

    /// An Engine with its own sockets and no tunnel.
    private struct Trial: ~Copyable {
        private var engine: Engine
        private var outbox = Outbox()
        private var batch = ReceiveBatch()
        private var sockets: [UDPSocket] = []

        init(_ configuration: Configuration, state: String) {
            var part = EngineConfiguration(configuration, mtu: 1280)
            let given = GivenSecrets(configuration, directory: state, log: Log(level: .error))
            part.secrets = given?.secrets ?? .none
            engine = Engine(
                part,
                staticKey: PrivateKey(bytes: configuration.tunnel.privateKey.key), seed: Sodium.systemSeed())
        }

        mutating func run(
            _ ways: [(interface: String, endpoint: Endpoint)], milliseconds: Int64
        ) -> Outcome {
            let start = Instant.now
            for (number, way) in ways.enumerated() {
                let id = UInt16(number)
                guard
                    let socket = UDPSocket.opened(
                        number: id, family: way.endpoint.address.family, boundTo: way.interface,
                        mark: TunnelMark.value)
                else { continue }
                sockets.append(socket)
                engine.setPath(id, role: .primary, link: Link(socket: id, remote: way.endpoint), now: start)
            }
            var outcome = Outcome.silence
            while outcome == .silence, Int64((Instant.now - start).milliseconds) < milliseconds {
                outcome = turn()
            }
            engine.closeAll(into: &outbox, now: Instant.now)
            flush()
            if outcome == .silence, engine.handshakeTroubles(now: Instant.now).unreadable > 0 {
                return .anotherPresharedKey
            }
            return outcome
        }

        private mutating func turn() -> Outcome {
            while !engine.service(into: &outbox, now: Instant.now, wall: Timestamp.now) { flush() }
            flush()
            var watched = sockets.map {
                pollfd(fd: $0.socket.fileDescriptor, events: Int16(POLLIN), revents: 0)
            }
            if poll(&watched, nfds_t(watched.count), 50) > 0 {
                let now = Instant.now
                for (socket, event) in zip(sockets, watched) where event.revents != 0 {
                    guard socket.socket.receive(into: &batch) > 0 else { continue }
                    for index in 0..<batch.count {
                        engine.receive(
                            batch.datagram(index), from: batch.link(index, socket: socket.number), now: now)
                    }
                }
            }
            for event in engine.takeEvents() {
                switch event {
                case .established: return .accepted
                case .keyRefused: return .keyRefused
                case .suiteRefused: return .anotherSuite
                case .secretRefused: return .secretRefused
                case .versionRefused: return .anotherVersion
                default: break
                }
            }
            return .silence
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
    }
}
