import ControlProtocol
import Host
import Packet
import Proto
import Scheduler
import Settings

// A client's name servers, from the first assignment until the end (see `NameServerChoice`).
extension Client {
    /// How soon answers are looked for once name servers have been asked.
    private static var inquiryPace: Interval { .milliseconds(50) }

    /// Has names asked of the file's servers at once, and of the server's as soon as they have answered.
    func useNameServers(_ frame: AssignFrame, routes: [CIDR]) {
        var basis = NameService.Basis()
        basis.file = settings.dns
        basis.isFull = !routing.ways.full.isEmpty
        basis.mayLeave = shared.firewall?.wantsKillSwitch != true
        let networks = routes + shared.tunnel.addresses
        basis.offer = frame.dns.filter { server in
            routing.ways[server.family] == .tunnel || networks.contains { $0.contains(server) }
        }
        guard basis != nameService.basis else { return }
        nameService.basis = basis
        nameService.nextInquiry = .zero
        nameService.inquiry = nil
        if let file = basis.file {
            use(file)
        } else if !basis.isFull && basis.offer.isEmpty {
            (nameService.outside, nameService.notice) = ([:], nil)
            use([])
        }
        nameService.isSettled = basis.file != nil || !basis.isFull && basis.offer.isEmpty
    }

    private func use(_ servers: [IPAddress]) {
        guard servers != nameService.servers else { return }
        nameService.servers = servers
        nameService.writer.begin(servers)
    }

    /// Follows what answers, what other programs do to the name servers, and what became of orders.
    func watchNameServers(now: Instant) {
        noteNameServers(now: now)
        lookAfterNameServers(now: now)
        guard assignment != nil else { return }
        let working = workingPaths(now: now)
        if let answers = nameService.inquiry?.answers {
            nameService.inquiry = nil
            if let decision = nameService.choice.take(answers) {
                carryOut(decision, now: now)
            } else {
                ask()
            }
        } else if nameService.inquiry == nil, !working.isEmpty {
            // Uplinks that come or go may take the host's own servers along; the tunnel's stay as they are.
            let depends = nameService.choice.decision.map { $0.source == .host || !$0.isAnswered } ?? true
            let hasChanged = depends && working != nameService.uplinks
            if hasChanged || now >= nameService.nextInquiry { choose(working, isUrgent: hasChanged) }
        }
        if nameService.inquiry != nil {
            shared.nextCheck = min(shared.nextCheck, now + Self.inquiryPace)
        }
    }

    /// Begins to ask name servers.
    private func choose(_ working: Set<UInt16>, isUrgent: Bool) {
        nameService.uplinks = working
        nameService.resolver = nameService.host.host()
        var situation = NameServerChoice.Situation()
        situation.file = nameService.basis.file
        situation.offer = nameService.basis.offer
        situation.host = nameService.resolver
        (situation.isFull, situation.mayLeave) = (nameService.basis.isFull, nameService.basis.mayLeave)
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
        situation.fallback = NameServerChoice.fallback.filter { routing.ways[$0.family] == .tunnel }
        nameService.choice.begin(situation, isUrgent: isUrgent)
        nameService.nextInquiry = .never
        ask()
    }

    private func ask() {
        guard nameService.choice.isOpen else { return }
        nameService.inquiry = NameServerInquiry(nameService.choice.questions)
    }

    /// The interface by which a network of the host's own leads to a server, past a full tunnel.
    private func interfaceOutside(to server: IPAddress) -> String? {
        let routes = hostRoutes.list.filter {
            $0.table == NetworkRoute.mainTable && $0.network.length > 0 && $0.network.contains(server)
                && $0.interface != shared.tunnel.index
        }
        guard let route = routes.max(by: { $0.network.length < $1.network.length }) else { return nil }
        return paths.first { $0.interfaceIndex == route.interface }?.configuration.interface
            ?? (try? shared.netlink.interface(index: route.interface))??.name
    }

    private func carryOut(_ decision: NameServerChoice.Decision, now: Instant) {
        let changed = decision.outside != nameService.outside
        if changed {
            nameService.outside = decision.outside
            routing.isDue = true
        }
        use(decision.servers)
        nameService.isSettled = true
        nameService.nextInquiry = now + nameService.pause(after: decision, changed: changed)
        let notice = sentence(on: decision)
        if let notice, notice != nameService.notice {
            shared.log(decision.isAnswered ? .info : .warning, notice)
        }
        nameService.notice = notice
    }

    /// A notice for users about a decision; `nil` if names are resolved as they expect.
    private func sentence(on decision: NameServerChoice.Decision) -> String? {
        let remedy =
            "name some that the tunnel reaches in [tunnel] dns, or in [offer] dns on the server"
        func list(_ servers: [IPAddress]) -> String {
            servers.map(\.description).joined(separator: ", ")
        }
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
            guard nameService.basis.isFull else { return nil }
            let host = nameService.resolver
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
                    ?? nameService.choice.situation.direct[server]
                return interface.map { "\(server) by \($0)" }
            }
            guard !outside.isEmpty else { return nil }
            return "names are asked outside the tunnel, of \(outside.joined(separator: ", ")); \(remedy)"
        }
    }

    /// Looks now and then whether the servers still stand, and whether the host has others.
    private func lookAfterNameServers(now: Instant) {
        guard now >= nameService.nextLook else { return }
        nameService.nextLook = now + nameService.lookPause
        if nameService.problem != nil {
            nameService.writer.begin(nameService.servers)
        } else if let way = nameService.way {
            nameService.writer.look(after: nameService.servers, way)
        }
        if assignment != nil, nameService.inquiry == nil, nameService.basis.file == nil,
            nameService.basis.isFull,
            nameService.host.host() != nameService.resolver
        {
            nameService.nextInquiry = .zero
        }
    }

    private func noteNameServers(now: Instant) {
        for outcome in nameService.writer.takeOutcomes() {
            switch outcome {
            case .set(let servers, let way):
                (nameService.way, nameService.problem) = (way, nil)
                let list = servers.map(\.description).joined(separator: " ")
                shared.log(.info, "the name servers are set", ["servers": list, "by": way.rawValue])
                nameService.nextLook = now + nameService.lookPause
            case .restored:
                (nameService.way, nameService.problem) = (nil, nil)
                shared.log(.info, "the name servers are what they were")
            case .failed(let error):
                if nameService.problem != error.description { shared.log(.warning, error.description) }
                nameService.problem = error.description
            case .forgotten:
                guard let way = nameService.way else { continue }
                shared.log(
                    .info, "another program has removed the tunnel's name servers; they are set again",
                    ["from": way.rawValue])
                nameService.lookPause = min(NameService.longestLook, nameService.lookPause * 2)
                nameService.way = nil
                nameService.writer.begin(nameService.servers)
            }
        }
    }

    /// The name servers for `status`; `nil` without a tunnel.
    var nameStatus: NamesStatus? {
        guard assignment != nil else { return nil }
        let source =
            switch nameService.choice.decision?.source ?? (nameService.basis.file == nil ? .host : .file)
            {
            case .file: "file"
            case .offer: "offer"
            case .host: "host"
            case .fallback: "fallback"
            }
        let servers = nameService.servers.isEmpty ? nameService.resolver.servers : nameService.servers
        var status = NamesStatus(
            source: source, servers: servers.map(\.description), settled: nameService.isSettled)
        for (server, id) in nameService.outside {
            status.outside[server.description] = paths.first { $0.id == id }?.configuration.interface
        }
        return status
    }

    /// Problems with name resolution, a sentence each.
    var nameNotices: [String] { [nameService.problem, nameService.notice].compactMap(\.self) }

    /// Restores the host's own, and waits for it.
    func undoNameServers() {
        guard !nameService.servers.isEmpty || nameService.way != nil else { return }
        nameService.writer.begin([])
        nameService.writer.finish()
        noteNameServers(now: .now)
    }
}
