import ControlProtocol
import Engine
import Host
import Packet
import Runtime
import Settings

/// bondd's tables in the host's firewall: a server's NAT and services, a client's return path, LAN and kill
/// switch. What other programs remove is restored.
final class HostFirewall {
    /// A table that is compared with the kernel's and restored in the same way as the others.
    private enum Job: CaseIterable {
        case nat, services, returning, lan, classes
    }

    /// The wait after the first message about a change of the ruleset or of the routes, because changes come
    /// in many messages.
    private static let settling = Interval.milliseconds(100)

    private let host: FirewallHost
    private var events: FirewallEvents
    private var nat = ServerNAT()
    private(set) var services = CarriedServices()
    private var returning = ReturnPath()
    private var lan = LANShare()
    private var classes = ClassMarks()
    private var input = InputWatch()
    private var killSwitch: HostKillSwitch
    /// The uplinks by which replies may leave, unless there is a kill switch.
    private var uplinks: [ReturnUplink] = []
    private var pace = RepairPace()
    /// When the routes and the firewalls of other programs may be examined again.
    private var foreignLook = LookPace()
    private var inputLook = LookPace()
    private var mayBeDamaged = false
    /// When `check` is due.
    private(set) var deadline = Instant.never

    private var log: Log { host.log }

    /// Sets the kill switch, if the configuration has one, before anything else happens.
    /// - Throws: `HostError`: a protection that was not set must not be claimed.
    init(_ configuration: Configuration, state: String, log: Log) throws(HostError) {
        host = try FirewallHost(configuration, state: state, log: log)
        events = try FirewallEvents()
        killSwitch = HostKillSwitch(
            directory: state, interface: configuration.tunnel.interface, log: log)
        if wantsKillSwitch { try killSwitch.begin(for: configuration, host.socket, host.netlink) }
    }

    /// The firewall; nil if the kernel has none and the configuration does not need it.
    /// - Throws: `HostError` if the configuration needs it.
    static func make(
        _ configuration: Configuration, state: String, log: Log
    ) throws(HostError) -> HostFirewall? {
        do throws(HostError) {
            return try HostFirewall(configuration, state: state, log: log)
        } catch {
            if configuration.needsFirewall { throw error }
            log(.debug, error.description)
            return nil
        }
    }

    /// For epoll.
    var fileDescriptors: [Int32] { events.fileDescriptors }

    /// Applies the configuration, once everything else is set up.
    /// - Parameter services: those that the kernel is to carry for a server.
    func start(services list: [KernelService]) {
        if !wantsKillSwitch {
            killSwitch.lift(host.interface, host.socket)
            killSwitch.removeLeftovers(of: host.configuration, host.socket, host.netlink)
        }
        applyNAT()
        services.start(list, host)
        returning.apply(host)
        lan.apply(host)
        markClasses(now: .now)
        lookAtInput()
    }

    /// Applies a new configuration.
    func reload(_ new: Configuration) {
        host.configuration = new
        // A new kill switch lets no reply leave by an uplink.
        follow(uplinks: uplinks)
        killSwitch.noteConfiguration()
        renewKillSwitch()
        if !wantsKillSwitch { killSwitch.lift(host.interface, host.socket) }
        applyNAT()
        services.apply(host)
        lan.apply(host)
        markClasses(now: .now)
        lookAtInput()
    }

    /// Removes everything except the kill switch, which holds without bondd.
    func close() {
        services.remove(host)
        lan.remove(host)
        classes.remove(host)
        removeNAT()
        returning.remove(host)
    }

    private var isServer: Bool { if case .server = host.configuration.role { true } else { false } }
    private var wantsNAT: Bool { ServerNAT.networks(of: host.configuration) != nil }
    private var wantsLAN: Bool { !LANShare.interfaces(of: host.configuration).isEmpty }

    private func applyNAT() {
        if wantsNAT { nat.apply(host) } else { removeNAT() }
    }

    private func removeNAT() {
        nat.remove(host)
        if services.families.isEmpty && lan.families.isEmpty { host.restoreForwarding() }
    }

    private func lookAtInput() { input.look(host.configuration, services: services.list, log) }

    // MARK: - Changes by other programs

    /// The ruleset, the routes or forwarding changed.
    func noteChanges(now: Instant) {
        let change = events.read()
        let hasTables = killSwitch.table != nil || Job.allCases.contains { job($0).table != nil }
        guard hasTables || isServer || wantsLAN, change.ofRuleset || change.ofForwarding else { return }
        if change.ofRuleset { mayBeDamaged = true }
        // Until the kill switch is restored, everything leaves.
        deadline = min(deadline, killSwitch.table == nil ? now + Self.settling : now)
    }

    private func job(_ job: Job) -> any FirewallJob {
        switch job {
        case .nat: nat
        case .services: services
        case .returning: returning
        case .lan: lan
        case .classes: classes
        }
    }

    /// Marks packets for classes of service, and looks for their control groups again when that is due.
    private func markClasses(now: Instant) {
        classes.apply(host)
        if classes.followsGroups { deadline = min(deadline, now + ClassMarks.pace) }
    }

    /// Compares the tables, forwarding and other programs' firewalls, when that is due.
    func check(now: Instant) {
        guard now >= deadline else { return }
        deadline = .never
        if classes.followsGroups { markClasses(now: now) }
        let wasChanged = mayBeDamaged
        mayBeDamaged = false
        if wasChanged,
            let later = killSwitch.check(for: host.configuration, host.socket, host.netlink, now: now)
        {
            look(again: later)
        }
        let damaged = wasChanged ? Job.allCases.filter { !job($0).holds(host) } : []
        let hasForwarded = nat.table != nil || services.table != nil || lan.table != nil
        let closed = hasForwarded ? closedFamilies : []
        if !damaged.isEmpty || !closed.isEmpty {
            if now >= pace.earliest {
                pace.repaired(now: now)
                repair(damaged, closed, now: now)
            } else {
                mayBeDamaged = mayBeDamaged || !damaged.isEmpty
                deadline = min(deadline, pace.earliest)
            }
        }
        if isServer || wantsLAN {
            let hasLooked = foreignLook.look(now: now) {
                if wantsNAT { nat.apply(host) }
                if wantsLAN { lan.apply(host) }
                services.findBlockers(egress: nat.egress, host)
            }
            if !hasLooked { deadline = min(deadline, foreignLook.next) }
        }
        if isServer {
            // At a pace of its own, because reading input chains may take longer.
            if !inputLook.look(now: now, lookAtInput) { deadline = min(deadline, inputLook.next) }
        }
    }

    /// Has `check` compare the tables at that time.
    private func look(again time: Instant) {
        mayBeDamaged = true
        deadline = min(deadline, time)
    }

    private func repair(_ damaged: [Job], _ closed: [IPAddress.Family], now: Instant) {
        for damaged in damaged {
            do throws(HostError) {
                switch damaged {
                case .nat: try nat.repair(host)
                case .services: try services.repair(host)
                case .returning: try returning.repair(host)
                case .lan: try lan.repair(host)
                case .classes: try classes.repair(host)
                }
                log(
                    .warning,
                    "another program changed the firewall table \(job(damaged).table?.name ?? ""); it is restored",
                    ["next_repair_s": "\(Int((pace.earliest - now).seconds))"])
            } catch {
                log(.error, error.description)
                look(again: now + .seconds(1))
            }
        }
        guard !closed.isEmpty else { return }
        applyNAT()
        services.apply(host)
        if wantsLAN { lan.apply(host) }
        // If it can't be switched on, `problems` says so.
        if closedFamilies.isEmpty {
            let words = closed.map { $0 == .v4 ? "IPv4" : "IPv6" }.joined(separator: " and ")
            log(.warning, "another program switched forwarding of \(words) off; it is on again")
        }
    }

    // MARK: - Jobs

    /// Takes the networks behind a server's clients, whose hosts leave by NAT as well.
    func route(_ networks: [CIDR]) { nat.route(networks, host) }

    /// Takes the server's terms for a client's LAN.
    func shareTunnel(_ terms: LANShare.Terms) { lan.share(terms, host) }

    /// Takes a client's uplinks, by which replies may leave.
    func follow(uplinks: [ReturnUplink]) {
        self.uplinks = uplinks
        returning.follow(wantsKillSwitch ? [] : uplinks, host)
    }

    /// Replaces the services that the kernel carries, at once.
    func carry(_ list: [KernelService], now: Instant) throws(HostError) {
        try services.carry(list, host, now: now)
    }

    /// Whether the services' traffic is known; starts a count otherwise.
    func knowsServices(now: Instant) -> Bool { services.areKnown(now: now) }

    /// When to call `attendServices` again.
    func servicesDeadline(now: Instant) -> Instant { services.deadline(now: now) }

    /// Takes the result of a count of the services' connections.
    func attendServices(now: Instant) { services.attend(host, now: now) }

    // MARK: - The kill switch

    /// Whether the configuration has it, and `bondd unlock` was not used since.
    var wantsKillSwitch: Bool { killSwitch.isWanted(by: host.configuration) }

    /// Whether the kill switch is set.
    var hasKillSwitch: Bool { killSwitch.table != nil }

    /// The addresses that the server's name last had.
    func rememberedEndpoints(of name: HostPort) -> [Endpoint] {
        wantsKillSwitch ? killSwitch.rememberedEndpoints(of: name) : []
    }

    /// The server's name was resolved. The addresses are remembered even without a kill switch, because it
    /// may be switched on later.
    func learn(_ resolution: Resolver.Resolution) {
        if killSwitch.learn(resolution) { renewKillSwitch() }
    }

    /// Allows datagrams to these endpoints, which paths are about to use.
    func permit(_ endpoints: [Endpoint]) {
        if killSwitch.use(endpoints) { renewKillSwitch() }
    }

    /// The host's routes have changed, and perhaps its local networks.
    func followNetworks() {
        guard case .client(let client) = host.configuration.role, client.killSwitchAllowsLAN else { return }
        renewKillSwitch()
    }

    /// Lifts the kill switch until the configuration is read again.
    /// - Returns: whether there was one.
    func unlock() throws(HostError) -> Bool { try killSwitch.unlock(host.interface, host.socket) }

    private func renewKillSwitch() { killSwitch.renew(for: host.configuration, host.socket, host.netlink) }

    // MARK: - Status

    /// The IP versions of clients, services and the LAN that the kernel does not forward.
    private var closedFamilies: [IPAddress.Family] {
        let families = services.families.union(nat.families).union(lan.families)
        return [.v4, .v6].filter { families.contains($0) && !Forwarding.isOn($0) }
    }

    /// What keeps traffic from the tunnel or clients from the internet, a sentence each.
    var problems: [String] {
        let switches = closedFamilies.map { family in
            let name = family == .v4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding"
            return
                "\(family == .v4 ? "IPv4" : "IPv6") is not forwarded, so \(wantsLAN ? "hosts of the LAN" : "clients") reach no further than this host; run: sysctl \(name)=1"
        }
        return [killSwitch.problem].compactMap(\.self) + returning.problems + services.problems + nat.problems
            + switches + input.problems + lan.problems + classes.problems
    }

    /// Findings that are uncertain, or may be intended.
    var notices: [String] {
        let isJudged = wantsNAT || !services.list.isEmpty || wantsLAN
        return (isJudged ? [ForeignFirewall.blindSpot].compactMap(\.self) : []) + input.notices
    }

    /// NAT and the kill switch with their counters; nil if neither is set.
    var status: FirewallStatus? {
        guard nat.table != nil || hasKillSwitch else { return nil }
        var status = FirewallStatus(killSwitch: hasKillSwitch)
        status.nat = nat.status(host)
        status.refusedPackets = killSwitch.refusedPackets(host.socket)
        return status
    }
}
