import Host
import Packet
import Settings

// The addresses of a client's server: names, looked up by the host's resolver and over the uplinks, and the
// networks that translate addresses (NAT64).
extension Client {
    /// The endpoints that are addresses, and those whose names are resolved.
    func endpoints(of path: Configuration.Path) -> [Endpoint] {
        settings.endpoints(of: path).flatMap { names.endpoints(of: $0) }
            .reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// Looks up the names that are due: at the start, after a reload, and while no path works.
    func lookUpNames(isOut: Bool, now: Instant) {
        var wanted: [HostPort] = []
        for name in settings.allEndpoints where name.endpoint == nil && !wanted.contains(name) {
            names.remember(shared.firewall?.rememberedEndpoints(of: name) ?? [], of: name)
            wanted.append(name)
        }
        if !isOut {
            settleNames()
            expectAnswers(by: [], now: now)
        }
        let due = names.due(wanted, isOut: isOut, now: now)
        if !due.isEmpty {
            let ways = nameWays()
            expectAnswers(by: ways, now: now)
            for name in due {
                names.asked(name, answers: ways.isEmpty ? 1 : 2, now: now)
                resolver.resolve(name)
                if !ways.isEmpty { resolver.resolve(name, by: ways) }
            }
        }
        refreshEndpoints()
    }

    /// Forgets addresses that a name no longer has once one that it has is in use.
    private func settleNames() {
        let working = Set(paths.filter { $0.silence.isNone }.compactMap(\.endpoint))
        _ = names.settle(on: working)
    }

    private func refreshEndpoints() {
        for path in paths {
            let known = endpoints(of: path.configuration)
            if known != path.endpoints { path.endpoints = known }
        }
    }

    /// The uplinks over which names may be asked, with the servers that the host knows apart from the
    /// tunnel's, and the routers.
    private func nameWays() -> [NameWay] {
        let known = HostNameServers(interface: shared.tunnel.name, directory: shared.stateDirectory)
        return paths.compactMap { path in
            guard path.absentSince == nil, path.configuration.role != .never,
                let facts = try? shared.netlink.interface(named: path.configuration.interface),
                facts.hasCarrier
            else { return nil }
            let routers = hostRoutes.list.filter { $0.interface == facts.index && $0.network.length == 0 }
                .compactMap(\.gateway)
            let servers = known.servers(by: facts.index) + path.configuration.gateways + routers
            let way = NameWay(interface: facts.name, index: facts.index, servers: servers)
            return way.servers.isEmpty ? nil : way
        }
    }

    /// Lets the answers of name servers pass the uplinks' strict reverse-path filters.
    private func expectAnswers(by ways: [NameWay], now: Instant) {
        for path in paths {
            let servers = ways.first { $0.interface == path.configuration.interface }?.servers ?? []
            guard servers != path.nameServers else { continue }
            path.nameServers = servers
            routing.expire()
        }
        if routing.isDue && !hostRoutes.isStale { updateRouting(now: now) }
    }

    /// Takes an answer of the resolver, by the host's servers or over the uplinks.
    func resolved(_ resolution: Resolver.Resolution, now: Instant) {
        let name = resolution.name
        if let problem = names.learn(resolution.endpoints, of: name, problem: resolution.problem) {
            shared.log(.warning, "\(problem); retrying")
        }
        guard !resolution.endpoints.isEmpty else { return }
        shared.firewall?.learn(
            Resolver.Resolution(name: name, endpoints: names.endpoints(of: name), problem: nil))
        checkPaths(now: now)
    }

    /// Asks for the NAT64 prefix over an uplink that can reach IPv4 only through a translator.
    func findTranslator(for path: ClientPath, now: Instant) {
        guard path.usable.contains(where: { !path.endpoints.contains($0) }),
            path.translators.isDue(now: now),
            let way = nameWays().first(where: { $0.interface == path.configuration.interface })
        else { return }
        path.translators.asked(now: now)
        resolver.findTranslator(of: way)
    }

    func learn(_ translation: Resolver.Translation, now: Instant) {
        guard let translator = translation.translator else { return }
        for path in paths where path.interfaceIndex == translation.interface {
            path.translators.learn(translator)
            follow(path, now: now)
        }
    }
}

/// The NAT64 prefixes of a path's network, as reported by its name servers.
struct PathTranslators {
    /// The minimum time between two questions for them.
    private static let pause = Interval.seconds(60)

    private(set) var prefixes: [NAT64] = []
    private var askedAt: Instant?

    func isDue(now: Instant) -> Bool { askedAt.map { now - $0 >= Self.pause } ?? true }
    mutating func asked(now: Instant) { askedAt = now }
    mutating func learn(_ prefix: NAT64) { prefixes = [prefix] }
}
