import Daemon
import Glibc
import Host
import Packet
import Proto
import Settings
import Transport

/// A client's uplinks: whether UDP gets from each to each of the server's endpoints and back, tried with a
/// datagram that changes nothing there (`VersionProbe`), and the MTU of each.
struct UDPCheck: HostCheck {
    /// One path from an uplink to an endpoint.
    struct Way: Equatable {
        let interface: String
        let endpoint: Endpoint
        /// Time until the answer arrived; `nil` if none did.
        var rtt: Interval?
    }

    /// Maximum number of paths tried; more would tell nothing new.
    private static let mostWays = 32
    private static let patience: Int64 = 3000
    /// Times of the probes in milliseconds: one may get lost, and the round trip over a satellite takes most
    /// of a second.
    private static let sendings: [Int64] = [0, 500, 1200]

    func findings(_ examination: Examination) -> [Finding] {
        guard let client = examination.client else { return [] }
        let uplinks = examination.facts.uplinks(of: client, tunnel: examination.tunnel)
        guard !uplinks.isEmpty else {
            return [
                .fail(
                    "uplinks", "no interface that may be one has a default route",
                    "connect one, or name it in a [[path]], or in [discovery] include if it is virtual")
            ]
        }
        var findings = uplinks.compactMap { Self.judgeMTU(examination.facts.interface(named: $0)) }
        guard examination.isRoot else { return findings + [.warn("udp", "not tried", "run this as root")] }
        let (resolved, unresolved) = Self.resolve(client.allEndpoints, examination.time(atMost: 3000))
        findings += unresolved
        var ways = uplinks.flatMap { name -> [Way] in
            let families = Set(
                examination.facts.addresses.filter { $0.interface == name && !$0.network.address.isLinkLocal }
                    .map(\.network.address.family))
            return Self.endpoints(of: name, client).flatMap { resolved[$0] ?? [] }
                .filter { families.contains($0.address.family) }.map { Way(interface: name, endpoint: $0) }
        }
        ways = Array(ways.prefix(Self.mostWays))
        try? Self.probe(
            &ways, PublicKey(bytes: client.server.publicKey), examination.time(atMost: Self.patience))
        // The daemon's rules let replies to each path in; without them, a strict filter passes those of one
        // uplink only.
        let preferred = examination.facts.preferredUplink
        let filtered =
            examination.status == nil
            ? uplinks.filter { $0 != preferred && ReversePathCheck.isStrict($0) } : []
        return findings + Self.judge(ways, uplinks: resolved.isEmpty ? [] : uplinks, filtered: filtered)
    }

    /// The endpoints used by paths over an interface.
    private static func endpoints(of interface: String, _ client: Configuration.Client) -> [HostPort] {
        let paths = client.paths.filter { $0.interface == interface }
        return paths.isEmpty ? client.server.endpoints : paths.flatMap { client.endpoints(of: $0) }.uniqued()
    }

    // MARK: - Judging

    static func judgeMTU(_ interface: NetworkInterface?) -> Finding? {
        guard let interface else { return nil }
        if !interface.isUp {
            return .fail("uplinks", "\(interface.name) is off", "ip link set \(interface.name) up")
        }
        if !interface.hasCarrier {
            return .fail("uplinks", "\(interface.name) has no link", "check its cable, radio or SIM")
        }
        // The minimum that IPv6 requires (RFC 8200 section 5).
        guard interface.mtu < 1280 else {
            return .ok("uplinks", "\(interface.name) is on, MTU \(interface.mtu)")
        }
        return .warn(
            "uplinks", "\(interface.name) has an MTU of only \(interface.mtu)",
            "ip link set \(interface.name) mtu 1500, unless its network has less")
    }

    /// - Parameter filtered: uplinks on which no IPv4 reply can arrive now.
    static func judge(_ ways: [Way], uplinks: [String], filtered: [String] = []) -> [Finding] {
        var findings: [Finding] = []
        for name in uplinks {
            let own = ways.filter { $0.interface == name }
            guard !own.isEmpty else {
                findings.append(
                    .fail(
                        "udp", "\(name) has no address of a family that the server has",
                        "give it one, or add an endpoint of its family on the server"))
                continue
            }
            for case let (way, rtt?) in own.map({ ($0, $0.rtt) }) {
                findings.append(
                    .ok(
                        "udp",
                        "\(name): the server answers at \(way.endpoint), \(Figure.text(rtt.milliseconds)) ms")
                )
            }
            var dead = own.filter { $0.rtt == nil }
            if filtered.contains(name), dead.contains(where: { $0.endpoint.address.family == .v4 }) {
                dead.removeAll { $0.endpoint.address.family == .v4 }
                findings.append(
                    .warn(
                        "udp",
                        "\(name): unknown for IPv4, because its strict reverse-path filter drops answers",
                        "they pass while bondd runs: start it and run this again"))
            }
            let silent = dead.map { "\($0.endpoint)" }.joined(separator: " and ")
            if silent.isEmpty { continue }
            if own.contains(where: { $0.rtt != nil }) {
                findings.append(
                    .warn(
                        "udp", "\(name): nothing answers at \(silent)",
                        "open that endpoint's UDP port, or remove it from [server] endpoints"))
            } else if ways.contains(where: { $0.rtt != nil }) {
                findings.append(
                    .fail(
                        "udp", "\(name): nothing answers at \(silent), although other uplinks get answers",
                        "the network behind \(name) drops UDP or has a login page: try curl --interface \(name) http://example.com"
                    ))
            } else {
                findings.append(
                    .fail(
                        "udp", "\(name): no bondd with the server's key answers at \(silent)",
                        "on the server: bondd doctor; check its public_key and endpoints here, and that its UDP port is open to the internet"
                    ))
            }
        }
        return findings
    }

    // MARK: - Gathering

    private static func resolve(
        _ names: [HostPort], _ milliseconds: Int64
    ) -> (endpoints: [HostPort: [Endpoint]], findings: [Finding]) {
        let end = Instant.now + .milliseconds(milliseconds)
        var endpoints: [HostPort: [Endpoint]] = [:]
        var findings: [Finding] = []
        for name in names.uniqued() {
            if let endpoint = name.endpoint {
                endpoints[name] = [endpoint]
                continue
            }
            do {
                let seconds = Int32((end - Instant.now).milliseconds / 1000)
                let found = try Resolver().resolveAll([name], seconds: max(1, seconds))
                endpoints[name] = Array(found.prefix(4))
                let list = found.prefix(4).map { "\($0.address)" }.joined(separator: ", ")
                findings.append(.ok("udp", "\(name.host) is \(list)"))
            } catch {
                findings.append(.told("udp", .fail, "\(error)"))
            }
        }
        return (endpoints, findings)
    }

    /// Sends probes over all paths at once and waits for the answers.
    private static func probe(_ ways: inout [Way], _ server: PublicKey, _ milliseconds: Int64) throws {
        var entropy = Entropy(seed: Sodium.systemSeed())
        let probes = ways.map { _ in VersionProbe(server: server, number: entropy.next32()) }
        // Marked like the tunnel's own datagrams, so that they go outside the tunnel and pass a kill switch.
        let sockets = ways.enumerated().map { number, way -> UDPSocket? in
            UDPSocket.opened(
                number: UInt16(number), family: way.endpoint.address.family, boundTo: way.interface,
                mark: TunnelMark.value)
        }
        var outbox = Outbox()
        var batch = ReceiveBatch()
        let start = Instant.now
        var sendings = Self.sendings[...]
        // The kernel has no route, so don't wait for an answer.
        var isHopeless = ways.map { _ in false }
        while true {
            let elapsed = Int64((Instant.now - start).milliseconds)
            let isOver = zip(ways, isHopeless).allSatisfy { $0.rtt != nil || $1 }
            if elapsed >= milliseconds || isOver { return }
            if let due = sendings.first, elapsed >= due {
                sendings = sendings.dropFirst()
                for (number, way) in ways.enumerated() where way.rtt == nil {
                    guard let socket = sockets[number], let room = outbox.reserve(Wire.initSize) else {
                        continue
                    }
                    let link = Link(socket: UInt16(number), remote: way.endpoint)
                    outbox.commit(probes[number].write(to: room), to: link)
                    isHopeless[number] = socket.socket.send(outbox, entries: 0..<outbox.count).failed > 0
                    outbox.clear()
                }
            }
            var watched = sockets.map {
                pollfd(fd: $0?.socket.fileDescriptor ?? -1, events: Int16(POLLIN), revents: 0)
            }
            guard poll(&watched, nfds_t(watched.count), 50) > 0 else { continue }
            for (number, event) in watched.enumerated() where event.revents != 0 {
                guard let socket = sockets[number], socket.socket.receive(into: &batch) > 0 else { continue }
                for index in 0..<batch.count where probes[number].isAnswer(batch.datagram(index)) {
                    ways[number].rtt = ways[number].rtt ?? (Instant.now - start)
                }
            }
        }
    }
}

extension Sequence where Element: Hashable {
    /// Each element once, in the order of first occurrence.
    fileprivate func uniqued() -> [Element] {
        var seen = Set<Element>()
        return filter { seen.insert($0).inserted }
    }
}
