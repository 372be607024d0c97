import Host
import Packet
import Scheduler

/// Decides which name servers a client with a full tunnel uses, by which of them answer: those of its file or
/// of the server's offer through the tunnel; otherwise the host's own, over the uplinks that reach them;
/// otherwise public ones through the tunnel. It does no I/O: `questions` has the next queries, and `take`
/// draws the conclusion.
package struct NameServerChoice {
    /// Public resolvers for hosts without one that answers: Quad9's and Cloudflare's.
    package static let fallback = ["9.9.9.9", "1.1.1.1", "2620:fe::fe", "2606:4700:4700::1111"].compactMap {
        IPAddress($0)
    }

    /// The origin of the servers in use.
    enum Source: String {
        /// `[tunnel] dns`; no others replace them.
        case file
        /// The server's `[offer]`.
        case offer
        /// The host, which got them from its uplinks.
        case host
        /// `fallback`.
        case fallback
    }

    /// The facts before any question is sent.
    struct Situation: Equatable {
        /// `[tunnel] dns`; nil if the file does not have it.
        var file: [IPAddress]?
        /// The subset of the server's offer that is reached through the tunnel.
        var offer: [IPAddress] = []
        /// The servers that the host uses.
        var host = HostResolver()
        /// The interfaces of the paths that are up, by path ID.
        var uplinks: [UInt16: String] = [:]
        /// The interfaces outside the tunnel by which the host's routes lead to some of them, such as a
        /// router on the link.
        var direct: [IPAddress: String] = [:]
        /// The interfaces of the paths that are down.
        var dead: Set<String> = []
        /// The public servers that are reached through the tunnel.
        var fallback: [IPAddress] = []
        /// Whether all of some family goes into the tunnel; otherwise the host's own servers are reached as
        /// before.
        var isFull = false
        /// Whether names may be asked outside the tunnel, which a kill switch forbids.
        var mayLeave = true
    }

    /// The outcome.
    struct Decision: Equatable {
        var source: Source
        /// The servers to set; empty to leave the host's own.
        var servers: [IPAddress] = []
        /// The servers that are asked outside the tunnel, each with its path.
        var outside: [IPAddress: UInt16] = [:]
        /// Whether at least one server answers.
        var isAnswered = false
    }

    private(set) var situation = Situation()
    private(set) var decision: Decision?
    /// The sources still to ask, in rounds; the first of a round that answers is taken.
    private var rounds: [[Source]] = []
    /// The best decision with servers that refused, for want of anything better.
    private var refusing: Decision?

    /// Starts a decision.
    /// - Parameter isUrgent: whether the servers in use may be gone, so that their source is asked first and
    ///   alone.
    mutating func begin(_ situation: Situation, isUrgent: Bool = false) {
        self.situation = situation
        refusing = nil
        if let file = situation.file {
            rounds = file.isEmpty ? [] : [[.file]]
            return
        }
        let offer: [Source] = situation.offer.isEmpty ? [] : [.offer]
        switch (situation.isFull, decision?.source) {
        case (false, _): rounds = [offer]
        case (true, .offer): rounds = [offer, [.host], [.fallback]]
        case (true, .host) where isUrgent: rounds = [[.host], offer, [.fallback]]
        case (true, _): rounds = [offer + [.host], [.fallback]]
        }
        rounds.removeAll { $0.isEmpty }
    }

    /// Whether a round is left, even one without a server to ask.
    var isOpen: Bool { !rounds.isEmpty }

    /// The next queries. The answers of the round's first source are waited for.
    var questions: NameServerProbe {
        let round = rounds.first ?? []
        return NameServerProbe(
            round.first.map(targets) ?? [], or: round.dropFirst().flatMap(targets))
    }

    private func targets(of source: Source) -> [NameServerProbe.Target] {
        switch source {
        case .file: return (situation.file ?? []).map { .init($0) }
        case .offer: return situation.offer.map { .init($0) }
        case .fallback: return situation.fallback.map { .init($0) }
        case .host:
            let asked = situation.host.servers.map { NameServerProbe.Target($0) }
            guard situation.mayLeave else { return asked }
            let names = situation.uplinks.sorted { $0.key < $1.key }.map(\.value)
            return asked
                + situation.host.others.flatMap { server in names.map { .init(server, by: $0) } }
        }
    }

    /// Draws the conclusion from the answers of a round.
    /// - Returns: the decision; nil if another round has to be asked.
    mutating func take(_ answers: NameServerProbe.Answers) -> Decision? {
        guard !rounds.isEmpty else { return nil }
        for source in rounds.removeFirst() {
            let found = judge(source, answers)
            if found.isAnswered {
                rounds = []
                decision = found
                return found
            }
            // A refusal is better than silence: that server may answer again in a moment.
            let isRefused = targets(of: source).contains(where: answers.refusing.contains)
            if refusing == nil && isRefused { refusing = found }
        }
        guard rounds.isEmpty else { return nil }
        let found = refusing ?? lastResort
        decision = found
        return found
    }

    private func judge(_ source: Source, _ answers: NameServerProbe.Answers) -> Decision {
        switch source {
        case .file: judge(source, situation.file ?? [], answers)
        case .offer: judge(source, situation.offer, answers)
        case .fallback: judge(source, situation.fallback, answers)
        case .host: judgeHost(answers)
        }
    }

    /// The decision if nothing answers: the servers that ought to.
    private var lastResort: Decision {
        if let file = situation.file { return Decision(source: .file, servers: file) }
        return situation.offer.isEmpty
            ? Decision(source: .host) : Decision(source: .offer, servers: situation.offer)
    }

    /// Servers that are asked as routes lead: those that answer, or all if none does.
    private func judge(
        _ source: Source, _ servers: [IPAddress], _ answers: NameServerProbe.Answers
    ) -> Decision {
        let good = servers.filter { answers.good.contains(.init($0)) }
        let isOrder = source == .file || good.isEmpty
        return Decision(source: source, servers: isOrder ? servers : good, isAnswered: !good.isEmpty)
    }

    /// The host's own: each as routes lead, or over the first path that reaches it. A server that has a path
    /// keeps it while it answers there; it also answers as routes lead then, because bondd has a rule for
    /// that path.
    private func judgeHost(_ answers: NameServerProbe.Answers) -> Decision {
        let (host, before) = (situation.host, decision?.outside ?? [:])
        var found = Decision(source: .host)
        func isReached(_ server: IPAddress, over path: UInt16) -> Bool {
            guard let interface = situation.uplinks[path] else { return false }
            return answers.good.contains(.init(server, by: interface))
        }
        // A router whose uplink is dead may still answer from its cache.
        func isReached(_ server: IPAddress) -> Bool {
            answers.good.contains(.init(server))
                && situation.direct[server].map(situation.dead.contains) != true
        }
        for server in host.others {
            if let path = before[server], isReached(server, over: path) {
                found.outside[server] = path
            } else if before[server] != nil || !isReached(server) {
                found.outside[server] = situation.uplinks.keys.sorted().first { isReached(server, over: $0) }
            }
        }
        let good = host.servers.filter { found.outside[$0] != nil || isReached($0) }
        // A local forwarder may answer once it reaches its own servers.
        let isForwarding = host.servers.contains(where: \.isLoopback) && !found.outside.isEmpty
        found.isAnswered = !good.isEmpty || isForwarding && found.outside != before
        if !good.isEmpty && good.count < host.servers.count { found.servers = good }
        return found
    }
}
