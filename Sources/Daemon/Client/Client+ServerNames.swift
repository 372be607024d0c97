import Host
import Packet
import Settings

// Where a client's server is: its names, looked up by the host's resolver and by the uplinks, and the
// networks that translate.
extension Client {
    /// How often a silent path's name servers are asked whether its network translates to IPv4.
    private static var translatorPause: Interval { .seconds(60) }

    /// The endpoints that are addresses, and those whose names are known.
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

    /// Addresses that the names no longer have are forgotten once one that they have is in use.
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

    /// The uplinks by which names may be asked, with the servers that the host knows in addition to the
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

    /// Lets the name servers' answers to the uplinks pass strict reverse-path filters.
    private func expectAnswers(by ways: [NameWay], now: Instant) {
        for path in paths {
            let servers = ways.first { $0.interface == path.configuration.interface }?.servers ?? []
            guard servers != path.nameServers else { continue }
            path.nameServers = servers
            routing.expire()
        }
        if routing.isDue && !hostRoutes.isStale { updateRouting(now: now) }
    }

    /// An answer of the resolver: the host's or the uplinks'.
    func resolved(_ resolution: Resolver.Resolution, now: Instant) {
        let name = resolution.name
        if let problem = names.learn(resolution.endpoints, of: name, problem: resolution.problem) {
            shared.log(.warning, "\(problem); it is tried again")
        }
        guard !resolution.endpoints.isEmpty else { return }
        shared.firewall?.learn(
            Resolver.Resolution(name: name, endpoints: names.endpoints(of: name), problem: nil))
        checkPaths(now: now)
    }

    /// Asks by an uplink that reaches IPv4 through a translator, if at all, which prefix it has.
    func findTranslator(for path: ClientPath, now: Instant) {
        guard path.usable.contains(where: { !path.endpoints.contains($0) }),
            path.translatorsAskedAt.map({ now - $0 >= Self.translatorPause }) ?? true,
            let way = nameWays().first(where: { $0.interface == path.configuration.interface })
        else { return }
        path.translatorsAskedAt = now
        resolver.findTranslator(of: way)
    }

    func learn(_ translation: Resolver.Translation, now: Instant) {
        guard let translator = translation.translator else { return }
        for path in paths where path.interfaceIndex == translation.interface {
            path.translators = [translator]
            follow(path, now: now)
        }
    }
}
