import ControlProtocol
import Engine
import Glibc
import Host
import Packet
import Runtime
import Settings

/// What bondd has in the host's firewall: a server's NAT and services, a client's kill switch and return path. It puts back
/// what others remove.
final class HostFirewall {
    /// How long a change of the ruleset or of the routes may go on before it is looked at: changes come in many messages.
    private static let settling = Interval.milliseconds(100)

    let log: Log
    let socket: FirewallSocket
    let netlink: Netlink
    private var events: FirewallEvents
    var configuration: Configuration
    var forwarding: Forwarding
    private var pace = RepairPace()

    /// The table of `[nat]` as it was set.
    var nat: FirewallTable?
    /// Where clients leave.
    var egress: [String] = []
    /// What keeps clients from the internet, as was last found out.
    var natProblems: [String] = []
    /// What the kernel is to carry, and what became of it.
    var services = CarriedServices()
    /// The firewalls that drop packets to this server's ports, as last determined.
    var input: [ForeignFirewall.Finding] = []
    /// The table of a client's return path as it was set.
    var returning: FirewallTable?
    /// The uplinks, those whose connections are answered by them, and those whose reverse-path filter goes by marks.
    var uplinks: [ReturnUplink] = []
    var answering: [ReturnUplink] = []
    var heeding: Set<String> = []
    /// Connections to this host from before bondd led anything into the tunnel.
    let earlier = EarlierConnection.list()
    /// Why the return path is not as it should be.
    var returnProblem: String?
    /// The networks behind a client that share its tunnel.
    var lan = LANShare()
    /// Server: the networks behind its clients.
    var clientNetworks: [CIDR] = []
    private var killSwitch: HostKillSwitch
    /// The earliest time of the kill switch's next repair, and when one was last logged.
    private var killSwitchRepair = (earliest: Instant.zero, toldAt: Instant?.none)
    /// When something is to be looked at.
    private(set) var deadline = Instant.never
    private var mayBeDamaged = false
    /// When the routes and others' firewalls may be looked at again.
    private var nextLook = Instant.zero
    private var nextInputLook = Instant.zero
    /// The earliest time to look for other bondds' tunnels again.
    private var nextRenewal = Instant.zero

    var interface: String { configuration.tunnel.interface }

    /// Sets the kill switch, if there is to be one, before anything else happens.
    /// - Throws: `HostError`, as a protection that is not there must not be claimed.
    init(_ configuration: Configuration, state: String, log: Log) throws(HostError) {
        self.configuration = configuration
        self.log = log
        socket = try FirewallSocket()
        netlink = try Netlink()
        events = try FirewallEvents()
        let interface = configuration.tunnel.interface
        forwarding = Forwarding(directory: state, interface: interface)
        killSwitch = HostKillSwitch(directory: state, interface: interface, log: log)
        if wantsKillSwitch { try killSwitch.begin(for: configuration, socket, netlink) }
    }

    /// The firewall, or nil when the kernel has none and the configuration can do without.
    /// - Throws: `HostError` when the configuration needs it.
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

    /// Does what the configuration says, now that all else is set up.
    /// - Parameter services: what a server is to carry.
    func start(services: [KernelService]) {
        if !wantsKillSwitch {
            killSwitch.lift(interface, socket)
            killSwitch.removeLeftovers(of: configuration, socket, netlink)
        }
        applyNAT()
        startServices(services)
        startReturning()
        applyLAN()
        lookAtInput()
    }

    /// Does what a new configuration says.
    func reload(_ new: Configuration) {
        configuration = new
        // A kill switch that is new lets no answer leave by an uplink.
        follow(uplinks: uplinks)
        killSwitch.noteConfiguration()
        killSwitch.renew(for: configuration, socket, netlink)
        if !wantsKillSwitch { killSwitch.lift(interface, socket) }
        applyNAT()
        applyServices()
        applyLAN()
        lookAtInput()
    }

    /// Removes all but the kill switch, which holds without bondd, too.
    func close() {
        removeServices()
        removeLAN()
        removeNAT()
        stopReturning()
    }

    // MARK: What others do

    /// The ruleset, the routes or forwarding changed.
    func noteChanges(now: Instant) {
        let change = events.read()
        guard !tables.isEmpty || isServer || wantsLAN, change.ofRuleset || change.ofForwarding else {
            return
        }
        if change.ofRuleset { mayBeDamaged = true }
        // Until the kill switch is back, everything leaves.
        deadline = min(deadline, killSwitch.table == nil ? now + Self.settling : now)
    }

    /// Looks at what has changed, when it is time.
    func check(now: Instant) {
        guard now >= deadline else { return }
        deadline = .never
        let wasChanged = mayBeDamaged
        mayBeDamaged = false
        if wasChanged { checkKillSwitch(now: now) }
        let damaged = wasChanged ? tables.filter { $0 != killSwitch.table && !holds($0) } : []
        let closed = nat == nil && services.table == nil && lan.table == nil ? [] : closedFamilies
        if !damaged.isEmpty || !closed.isEmpty {
            if now >= pace.earliest {
                pace.repaired(now: now)
                repair(damaged, closed, now: now)
            } else {
                mayBeDamaged = mayBeDamaged || !damaged.isEmpty
                deadline = min(deadline, pace.earliest)
            }
        }
        if isServer || wantsLAN { look(now: now) }
        if isServer { lookAtInput(now: now) }
    }

    /// Restores the kill switch if it was changed, and adds the tunnels of other bondds.
    private func checkKillSwitch(now: Instant) {
        guard let table = killSwitch.table else { return }
        guard now >= killSwitchRepair.earliest else {
            mayBeDamaged = true
            deadline = min(deadline, killSwitchRepair.earliest)
            return
        }
        guard !socket.holds(table) else {
            // Another bondd may have come or gone. On a host whose ruleset never rests, this is not done each time.
            guard now >= nextRenewal else {
                mayBeDamaged = true
                deadline = min(deadline, nextRenewal)
                return
            }
            nextRenewal = now + .milliseconds(500)
            killSwitch.renew(for: configuration, socket, netlink)
            return
        }
        killSwitchRepair.earliest = now + HostKillSwitch.repairPause
        do throws(HostError) {
            try socket.replace(table)
        } catch {
            log(.error, error.description)
            mayBeDamaged = true
            deadline = min(deadline, now + .seconds(1))
        }
        if killSwitchRepair.toldAt.map({ now - $0 < .seconds(60) }) ?? false { return }
        killSwitchRepair.toldAt = now
        log(.warning, "somebody changed the firewall table \(table.name); it was put back")
    }

    private var isServer: Bool { if case .server = configuration.role { true } else { false } }

    /// What is to be there.
    private var tables: [FirewallTable] {
        [nat, killSwitch.table, services.table, returning, lan.table].compactMap(\.self)
    }

    private func holds(_ table: FirewallTable) -> Bool {
        table == services.table ? socket.holds(table, of: services.list) : socket.holds(table)
    }

    private func repair(_ damaged: [FirewallTable], _ closed: [IPAddress.Family], now: Instant) {
        for table in damaged {
            do throws(HostError) {
                if table == services.table { try resetServices() } else { try socket.replace(table) }
                log(
                    .warning, "somebody changed the firewall table \(table.name); it was put back",
                    ["next": "not before \(Int((pace.earliest - now).seconds)) s from now"])
            } catch {
                log(.error, error.description)
                mayBeDamaged = true
                deadline = min(deadline, now + .seconds(1))
            }
        }
        guard !closed.isEmpty else { return }
        applyNAT()
        applyServices()
        if wantsLAN { applyLAN() }
        // Where it can't be set, that is a problem that is told as such.
        if closedFamilies.isEmpty {
            let words = closed.map { $0 == .v4 ? "IPv4" : "IPv6" }.joined(separator: " and ")
            log(.warning, "somebody switched forwarding of \(words) off; it was switched on again")
        }
    }

    /// Follows the routes and other programs' firewalls, with at most a hundredth of the thread's time: on some hosts the
    /// ruleset is large and never rests.
    private func look(now: Instant) {
        guard now >= nextLook else {
            deadline = min(deadline, nextLook)
            return
        }
        nextLook =
            now
            + pause {
                if wantsNAT { applyNAT() }
                if wantsLAN { applyLAN() }
                lookBesideServices()
            }
    }

    /// Looks at input chains again, at a pace of its own, as reading them may take longer.
    private func lookAtInput(now: Instant) {
        guard now >= nextInputLook else {
            deadline = min(deadline, nextInputLook)
            return
        }
        nextInputLook = now + pause { lookAtInput() }
    }

    /// Does some work, and returns how long to wait before doing it again: a hundred times as long as it kept the processor.
    /// (The wall clock would count other programs' time on a busy host.)
    private func pause(after work: () -> Void) -> Interval {
        let before = Clock.processorTime
        work()
        return max(.milliseconds(500), Interval(nanoseconds: Int64(Clock.processorTime - before) * 100))
    }

    // MARK: The kill switch

    /// Whether the configuration has it, and `bondd unlock` was not used since.
    var wantsKillSwitch: Bool { killSwitch.isWanted(by: configuration) }

    /// Whether it is set.
    var hasKillSwitch: Bool { killSwitch.table != nil }

    /// The addresses that the server's name last had.
    func rememberedEndpoints(of name: HostPort) -> [Endpoint] {
        wantsKillSwitch ? killSwitch.rememberedEndpoints(of: name) : []
    }

    /// The server's name was resolved. The addresses are remembered even without a kill switch, because it may be switched on
    /// later.
    func learn(_ resolution: Resolver.Resolution) {
        if killSwitch.learn(resolution) { killSwitch.renew(for: configuration, socket, netlink) }
    }

    /// Allows datagrams to these endpoints, which paths are about to use.
    func permit(_ endpoints: [Endpoint]) {
        if killSwitch.use(endpoints) { killSwitch.renew(for: configuration, socket, netlink) }
    }

    /// The host's routes have changed, and perhaps its local networks.
    func followNetworks() {
        guard case .client(let client) = configuration.role, client.killSwitchAllowsLAN else { return }
        killSwitch.renew(for: configuration, socket, netlink)
    }

    /// Lifts the kill switch until the configuration is read again.
    /// - Returns: whether there was one.
    func unlock() throws(HostError) -> Bool { try killSwitch.unlock(interface, socket) }

    // MARK: Status

    /// What keeps traffic from the tunnel or clients from the internet, a sentence each.
    var problems: [String] {
        [killSwitch.problem, returnProblem, services.problem, services.censusProblem].compactMap(\.self)
            + services.foreign + forwardingProblems + input.filter(\.isProblem).map(\.sentence)
            + lan.problems
    }

    /// What there is, and what it has counted; nil when there is nothing.
    var status: FirewallStatus? {
        guard nat != nil || hasKillSwitch else { return nil }
        var status = FirewallStatus(killSwitch: hasKillSwitch)
        if let nat {
            status.nat = FirewallStatus.NAT(egress: egress)
            let counts = (try? socket.counts(table: nat.name)) ?? [:]
            let (sent, received) = (counts[FirewallTable.outbound], counts[FirewallTable.inbound])
            status.nat?.sentPackets = sent?.packets ?? 0
            status.nat?.sentBytes = sent?.bytes ?? 0
            status.nat?.receivedPackets = received?.packets ?? 0
            status.nat?.receivedBytes = received?.bytes ?? 0
        }
        if let killSwitch = killSwitch.table {
            let counts = (try? socket.counts(table: killSwitch.name)) ?? [:]
            status.refusedPackets = counts[FirewallTable.refused]?.packets ?? 0
        }
        return status
    }
}
