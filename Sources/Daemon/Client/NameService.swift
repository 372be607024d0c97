import ControlProtocol
import Host
import Packet
import Runtime

/// A client's name servers: asks which of them answer, decides (`NameServerChoice`), and has the outcome set on the
/// host (`ResolverSettings`).
struct NameService {
    /// The input of the decision that the configuration and the assignment give. A change restarts it.
    struct Basis: Equatable {
        /// `[tunnel] dns`; nil if the file does not have it.
        var file: [IPAddress]?
        /// The subset of the server's offer that is reached through the tunnel.
        var offer: [IPAddress] = []
        /// The public servers that are reached through the tunnel.
        var fallback: [IPAddress] = []
        /// Whether all of a family goes into the tunnel.
        var isFull = false
        /// Whether names may be asked outside the tunnel.
        var mayLeave = true
    }

    /// The client's paths over which names can be asked outside the tunnel.
    struct Uplinks {
        /// The interfaces of the paths that are up, by path ID.
        var up: [UInt16: String] = [:]
        /// The interfaces of the paths that are down.
        var down: Set<String> = []
    }

    private let host: NameServers
    private var settings: ResolverSettings
    private var basis: Basis?
    private var choice = NameServerChoice()
    /// Queries whose answers are still to come.
    private var inquiry: NameServerInquiry?
    private var pace = NameServerPace()
    /// The servers that are asked outside the tunnel, each with its path.
    private var outside: [IPAddress: UInt16] = [:]
    /// The paths that were up, and the host's own servers, when the last decision began.
    private var asked: (paths: Set<UInt16>, host: HostResolver) = ([], HostResolver())
    /// Whether a decision was made, or none is needed.
    private var isSettled = false
    /// The decision, if users may not expect it.
    private var notice = Notices()

    init(_ host: NameServers) {
        self.host = host
        settings = ResolverSettings(host)
    }

    /// The servers that are to be set on the host; empty to leave the host's own.
    var servers: [IPAddress] { settings.desired }
    /// Whether answers are still to come.
    var isAsking: Bool { inquiry != nil }
    /// Problems with name resolution, a sentence each.
    var problems: [String] { settings.problems + notice.list }

    /// The servers that are asked over a path, outside the tunnel.
    func servers(over path: UInt16) -> [IPAddress] {
        outside.filter { $0.value == path }.map(\.key).sorted { $0.description < $1.description }
    }

    // MARK: - Decisions

    /// Sets the file's servers at once, and the server's once they have answered.
    /// - Returns: whether servers are asked over other paths than before.
    mutating func use(_ basis: Basis) -> Bool {
        guard basis != self.basis else { return false }
        self.basis = basis
        pace.hurry()
        inquiry = nil
        let keepsHosts = basis.file == nil && !basis.isFull && basis.offer.isEmpty
        isSettled = basis.file != nil || keepsHosts
        if let file = basis.file { settings.apply(file) }
        guard keepsHosts else { return false }
        settings.apply([])
        notice = Notices()
        defer { outside = [:] }
        return !outside.isEmpty
    }

    /// Follows which servers answer, what other programs do to the host's, and the results of the writer.
    /// - Parameters:
    ///   - uplinks: nil before the first assignment.
    ///   - direct: the interface outside the tunnel by which a route of the host leads to a server; nil if none
    ///     does.
    /// - Returns: whether servers are asked over other paths than before.
    mutating func attend(
        _ uplinks: Uplinks?, direct: (IPAddress) -> String?, _ log: Log, now: Instant
    ) -> Bool {
        settings.takeOutcomes(log, now: now)
        let hasChecked = settings.check(now: now)
        guard let uplinks, let basis else { return false }
        if hasChecked, inquiry == nil, basis.file == nil, basis.isFull, host.host() != asked.host {
            pace.hurry()
        }
        if let answers = inquiry?.answers {
            inquiry = nil
            if let decision = choice.take(answers) { return carryOut(decision, log, now: now) }
            ask()
        } else if inquiry == nil, !uplinks.up.isEmpty {
            // The host's own servers may come and go with uplinks; the tunnel's do not.
            let depends = choice.decision.map { $0.source == .host || !$0.isAnswered } ?? true
            let hasChanged = depends && Set(uplinks.up.keys) != asked.paths
            if hasChanged || pace.isDue(now: now) {
                begin(basis, uplinks, direct: direct, isUrgent: hasChanged)
            }
        }
        return false
    }

    private mutating func begin(
        _ basis: Basis, _ uplinks: Uplinks, direct: (IPAddress) -> String?, isUrgent: Bool
    ) {
        asked = (Set(uplinks.up.keys), host.host())
        var situation = NameServerChoice.Situation()
        (situation.file, situation.offer, situation.fallback) = (basis.file, basis.offer, basis.fallback)
        (situation.isFull, situation.mayLeave) = (basis.isFull, basis.mayLeave)
        situation.host = asked.host
        situation.uplinks = uplinks.up
        situation.dead = uplinks.down.subtracting(uplinks.up.values)
        for server in asked.host.others { situation.direct[server] = direct(server) }
        choice.begin(situation, isUrgent: isUrgent)
        pace.begin()
        ask()
    }

    private mutating func ask() {
        guard choice.isOpen else { return }
        inquiry = NameServerInquiry(choice.questions)
    }

    private mutating func carryOut(
        _ decision: NameServerChoice.Decision, _ log: Log, now: Instant
    ) -> Bool {
        let changed = decision.outside != outside
        outside = decision.outside
        settings.apply(decision.servers)
        isSettled = true
        pace.end(decision, changed: changed, now: now)
        notice.replace(with: choice.notice, log, level: decision.isAnswered ? .info : .warning)
        return changed
    }

    /// Restores the host's own servers, and waits for it.
    mutating func close(_ log: Log) { settings.remove(log) }

    // MARK: - Status

    /// The name servers for `status`.
    /// - Parameter interfaces: those of the paths, by path ID.
    func status(_ interfaces: [UInt16: String]) -> NamesStatus {
        let source = choice.decision?.source ?? (basis?.file == nil ? .host : .file)
        let servers = settings.desired.isEmpty ? asked.host.servers : settings.desired
        var status = NamesStatus(
            source: source.rawValue, servers: servers.map(\.description), settled: isSettled)
        for (server, path) in outside { status.outside[server.description] = interfaces[path] }
        return status
    }
}
