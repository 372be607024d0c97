import Control
import Messages
import Packet
import Proto
import Scheduler
import Settings

// A client's name servers, from the first assignment until the end (see `NameServerChoice`).
extension Daemon {
    /// How soon answers are looked for once name servers have been asked.
    private static var inquiryPace: Interval { .milliseconds(50) }

    /// Restores what a daemon with this tunnel left behind that was killed. At the start only, as it may take seconds.
    func cleanNameServers(_ directory: String) {
        do throws(ControlError) {
            try NameServers.clean(directory: directory, besides: tunnel.name)
        } catch {
            log(.warning, error.description)
        }
    }

    /// Has names asked of the file's servers at once, and of the server's as soon as they have answered.
    mutating func useNameServers(_ client: Configuration.Client, _ frame: AssignFrame, routes: [CIDR]) {
        var basis = NameService.Basis()
        basis.file = client.dns
        basis.isFull = anywhere.ipv4 == .tunnel || anywhere.ipv6 == .tunnel
        basis.mayLeave = firewall?.wantsKillSwitch != true
        let networks = routes + tunnel.addresses
        basis.offer = frame.dns.filter { server in
            way(of: server.family) == .tunnel || networks.contains { $0.contains(server) }
        }
        guard basis != names.basis else { return }
        names.basis = basis
        names.nextInquiry = .zero
        names.inquiry = nil
        if let file = basis.file {
            use(file)
        } else if !basis.isFull && basis.offer.isEmpty {
            (names.outside, names.notice) = ([:], nil)
            use([])
        }
        names.isSettled = basis.file != nil || !basis.isFull && basis.offer.isEmpty
    }

    private func way(of family: IPAddress.Family) -> RoutingPlan.Anywhere {
        family == .v4 ? anywhere.ipv4 : anywhere.ipv6
    }

    private mutating func use(_ servers: [IPAddress]) {
        guard servers != names.servers else { return }
        names.servers = servers
        names.writer.begin(servers)
    }

    /// Follows what answers, what other programs do to the name servers, and what became of orders.
    mutating func watchNameServers(now: Instant) {
        noteNameServers(now: now)
        lookAfterNameServers(now: now)
        guard assignment != nil else { return }
        let working = workingPaths(now: now)
        if let answers = names.inquiry?.answers {
            names.inquiry = nil
            if let decision = names.choice.take(answers) {
                carryOut(decision, now: now)
            } else {
                ask()
            }
        } else if names.inquiry == nil, !working.isEmpty {
            // Uplinks that come or go may take the host's own servers along; the tunnel's stay as they are.
            let depends = names.choice.decision.map { $0.source == .host || !$0.isAnswered } ?? true
            let hasChanged = depends && working != names.uplinks
            if hasChanged || now >= names.nextInquiry { choose(working, isUrgent: hasChanged) }
        }
        if names.inquiry != nil { nextCheck = min(nextCheck, now + Self.inquiryPace) }
    }

    /// Begins to ask name servers.
    private mutating func choose(_ working: Swift.Set<UInt16>, isUrgent: Bool) {
        names.uplinks = working
        names.resolver = names.host.host()
        var situation = NameServerChoice.Situation()
        situation.file = names.basis.file
        situation.offer = names.basis.offer
        situation.host = names.resolver
        (situation.isFull, situation.mayLeave) = (names.basis.isFull, names.basis.mayLeave)
        for path in paths {
            let interface = path.configuration.interface
            if working.contains(path.id) {
                situation.uplinks[path.id] = interface
            } else {
                situation.dead.insert(interface)
            }
        }
        situation.dead.subtract(situation.uplinks.values)
        for server in situation.host.others { situation.direct[server] = interfaceOutside(to: server) }
        situation.fallback = NameServerChoice.fallback.filter { way(of: $0.family) == .tunnel }
        names.choice.begin(situation, isUrgent: isUrgent)
        names.nextInquiry = .never
        ask()
    }

    private mutating func ask() {
        guard names.choice.isOpen else { return }
        names.inquiry = NameServerInquiry(names.choice.questions)
    }

    /// The interface by which a network of the host's own leads to a server, past a full tunnel.
    private func interfaceOutside(to server: IPAddress) -> String? {
        let routes = hostRoutes.filter {
            $0.table == NetworkRoute.mainTable && $0.network.length > 0 && $0.network.contains(server)
                && $0.interface != tunnel.index
        }
        guard let route = routes.max(by: { $0.network.length < $1.network.length }) else { return nil }
        return paths.first { $0.interfaceIndex == route.interface }?.configuration.interface
            ?? (try? netlink.interface(index: route.interface))??.name
    }

    private mutating func carryOut(_ decision: NameServerChoice.Decision, now: Instant) {
        let changed = decision.outside != names.outside
        if changed {
            names.outside = decision.outside
            routingIsDue = true
        }
        use(decision.servers)
        names.isSettled = true
        names.nextInquiry = now + names.pause(after: decision, changed: changed)
        let notice = sentence(on: decision)
        if let notice, notice != names.notice { log(decision.isAnswered ? .info : .warning, notice) }
        names.notice = notice
    }

    /// What users should know of a decision; nil when names are asked as they expect.
    private func sentence(on decision: NameServerChoice.Decision) -> String? {
        let remedy = "name some that the tunnel reaches in [tunnel] dns, or in [offer] dns on the server"
        func list(_ servers: [IPAddress]) -> String { servers.map(\.description).joined(separator: ", ") }
        switch decision.source {
        case .file, .offer:
            if decision.isAnswered { return nil }
            let place = decision.source == .file ? "[tunnel] dns" : "the server's [offer] dns"
            return
                "no name server of \(place) answers through the tunnel (\(list(decision.servers))); \(remedy)"
        case .fallback:
            return
                "names are asked of public servers through the tunnel (\(list(decision.servers))), as neither the server's nor this host's answer there; \(remedy)"
        case .host:
            guard names.basis.isFull else { return nil }
            let host = names.resolver
            guard decision.isAnswered else {
                let servers = host.others.isEmpty ? host.servers : host.others
                return
                    "no name server answers (\(servers.isEmpty ? "none is set" : list(servers))); \(remedy)"
            }
            let asked = decision.servers.isEmpty ? host.others : decision.servers
            let outside = asked.compactMap { server -> String? in
                let path = decision.outside[server].flatMap { id in paths.first { $0.id == id } }
                let interface =
                    path?.configuration.interface
                    ?? names.choice.situation.direct[server]
                return interface.map { "\(server) by \($0)" }
            }
            guard !outside.isEmpty else { return nil }
            return "names are asked outside the tunnel, of \(outside.joined(separator: ", ")); \(remedy)"
        }
    }

    /// Looks now and then whether the servers still stand, and whether the host has others.
    private mutating func lookAfterNameServers(now: Instant) {
        guard now >= names.nextLook else { return }
        names.nextLook = now + names.lookPause
        if names.problem != nil {
            names.writer.begin(names.servers)
        } else if let way = names.way {
            names.writer.look(after: names.servers, way)
        }
        if assignment != nil, names.inquiry == nil, names.basis.file == nil, names.basis.isFull,
            names.host.host() != names.resolver
        {
            names.nextInquiry = .zero
        }
    }

    private mutating func noteNameServers(now: Instant) {
        for outcome in names.writer.takeOutcomes() {
            switch outcome {
            case .set(let servers, let way):
                (names.way, names.problem) = (way, nil)
                let list = servers.map(\.description).joined(separator: " ")
                log(.info, "the name servers are set", ["servers": list, "by": way.rawValue])
                names.nextLook = now + names.lookPause
            case .restored:
                (names.way, names.problem) = (nil, nil)
                log(.info, "the name servers are what they were")
            case .failed(let error):
                if names.problem != error.description { log(.warning, error.description) }
                names.problem = error.description
            case .forgotten:
                guard let way = names.way else { continue }
                log(
                    .info, "another program has removed the tunnel's name servers; they are set again",
                    ["from": way.rawValue])
                names.lookPause = min(NameService.longestLook, names.lookPause * 2)
                names.way = nil
                names.writer.begin(names.servers)
            }
        }
    }

    /// The name servers for `status`; nil while there is no tunnel.
    var nameStatus: NamesStatus? {
        guard plane.engine.isClient, assignment != nil else { return nil }
        let source =
            switch names.choice.decision?.source ?? (names.basis.file == nil ? .host : .file) {
            case .file: "file"
            case .offer: "offer"
            case .host: "host"
            case .fallback: "fallback"
            }
        let servers = names.servers.isEmpty ? names.resolver.servers : names.servers
        var status = NamesStatus(
            source: source, servers: servers.map(\.description), settled: names.isSettled)
        for (server, id) in names.outside {
            status.outside[server.description] = paths.first { $0.id == id }?.configuration.interface
        }
        return status
    }

    /// What is amiss with names, a sentence each.
    var nameNotices: [String] { [names.problem, names.notice].compactMap(\.self) }

    /// Restores the host's own, and waits for it.
    mutating func undoNameServers() {
        guard !names.servers.isEmpty || names.way != nil else { return }
        names.writer.begin([])
        names.writer.finish()
        noteNameServers(now: DataPlane.clock())
    }
}
