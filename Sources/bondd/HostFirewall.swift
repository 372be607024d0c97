import Control
import Engine
import Messages
import Packet
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
    private var memory: EndpointMemory
    private var pace = RepairPace()

    /// The table of `[nat]` as it was set.
    var nat: FirewallTable?
    /// Where clients leave.
    var egress: [String] = []
    /// What keeps clients from the internet, as was last found out.
    var natProblems: [String] = []
    /// What the kernel is to carry, and what became of it.
    var services = CarriedServices()
    /// The table of a client's return path as it was set.
    var returning: FirewallTable?
    /// The uplinks, those whose connections are answered by them, and those whose reverse-path filter goes by marks.
    var uplinks: [ReturnUplink] = []
    var answering: [ReturnUplink] = []
    var heeding: Swift.Set<String> = []
    /// Connections to this host from before bondd led anything into the tunnel.
    let earlier = EarlierConnection.list()
    /// Why the return path is not as it should be.
    var returnProblem: String?
    /// The table of the kill switch as it was set.
    private var killSwitch: FirewallTable?
    /// Whether `bondd unlock` was used since the configuration was read.
    private var isUnlocked = false
    /// When something is to be looked at.
    private(set) var deadline = Instant.never
    private var mayBeDamaged = false
    /// When the routes and others' firewalls may be looked at again.
    private var nextLook = Instant.zero
    /// Why the kill switch is not as it should be.
    private var killSwitchProblem: String?

    var interface: String { configuration.tunnel.interface }

    /// Sets the kill switch, if there is to be one, before anything else happens.
    /// - Throws: `ControlError`, as a protection that is not there must not be claimed.
    init(_ configuration: Configuration, state: String, log: Log) throws(ControlError) {
        self.configuration = configuration
        self.log = log
        socket = try FirewallSocket()
        netlink = try Netlink()
        events = try FirewallEvents()
        let interface = configuration.tunnel.interface
        forwarding = Forwarding(directory: state, interface: interface)
        memory = EndpointMemory(directory: state, interface: interface)
        if wantsKillSwitch { try setKillSwitch() }
    }

    /// For epoll.
    var fileDescriptors: [Int32] { events.fileDescriptors }

    /// Does what the configuration says, now that all else is set up.
    /// - Parameter services: what a server is to carry.
    func start(services: [KernelService]) {
        if !wantsKillSwitch { liftKillSwitch() }
        applyNAT()
        startServices(services)
        startReturning()
    }

    /// Does what a new configuration says.
    func reload(_ new: Configuration) {
        configuration = new
        isUnlocked = false
        // A kill switch that is new lets no answer leave by an uplink.
        follow(uplinks: uplinks)
        renewKillSwitch()
        if !wantsKillSwitch { liftKillSwitch() }
        applyNAT()
        applyServices()
    }

    /// Removes all but the kill switch, which holds without bondd, too.
    func close() {
        removeServices()
        removeNAT()
        stopReturning()
    }

    // MARK: What others do

    /// The ruleset, the routes or forwarding changed.
    func noteChanges(now: Instant) {
        let change = events.read()
        guard !tables.isEmpty || wantsNAT, change.ofRuleset || change.ofForwarding else { return }
        if change.ofRuleset { mayBeDamaged = true }
        // Until the kill switch is back, everything leaves.
        deadline = min(deadline, killSwitch == nil ? now + Self.settling : now)
    }

    /// Looks at what has changed, when it is time.
    func check(now: Instant) {
        guard now >= deadline else { return }
        deadline = .never
        let damaged = mayBeDamaged ? tables.filter { !holds($0) } : []
        mayBeDamaged = false
        let closed = nat == nil && services.table == nil ? [] : closedFamilies
        if !damaged.isEmpty || !closed.isEmpty {
            pace.longest = .seconds(killSwitch == nil ? 60 : 1)
            if now >= pace.earliest {
                pace.repaired(now: now)
                repair(damaged, closed, now: now)
            } else {
                mayBeDamaged = !damaged.isEmpty
                deadline = pace.earliest
            }
        }
        if wantsNAT || !services.list.isEmpty { look(now: now) }
    }

    /// What is to be there.
    private var tables: [FirewallTable] {
        [nat, killSwitch, services.table, returning].compactMap(\.self)
    }

    private func holds(_ table: FirewallTable) -> Bool {
        table == services.table ? socket.holds(table, of: services.list) : socket.holds(table)
    }

    private func repair(_ damaged: [FirewallTable], _ closed: [IPAddress.Family], now: Instant) {
        for table in damaged {
            do throws(ControlError) {
                if table == services.table { try resetServices() } else { try socket.replace(table) }
                log(
                    .warning, "somebody changed the firewall table \(table.name); it was put back",
                    ["next": "not before \(Int((pace.earliest - now).seconds)) s from now"])
            } catch {
                log(.error, error.description)
                mayBeDamaged = true
                deadline = now + .seconds(1)
            }
        }
        guard !closed.isEmpty else { return }
        applyNAT()
        applyServices()
        // Where it can't be set, that is a problem that is told as such.
        if closedFamilies.isEmpty {
            let words = closed.map { $0 == .v4 ? "IPv4" : "IPv6" }.joined(separator: " and ")
            log(.warning, "somebody switched forwarding of \(words) off; it was switched on again")
        }
    }

    /// Follows the routes and what others' firewalls do, a hundredth of the time at the most: on some hosts the ruleset is
    /// large and never rests.
    private func look(now: Instant) {
        guard now >= nextLook else {
            deadline = min(deadline, nextLook)
            return
        }
        if wantsNAT { applyNAT() }
        lookBesideServices()
        let cost = DataPlane.clock() - now
        nextLook = now + max(.milliseconds(500), Interval(nanoseconds: cost.nanoseconds * 100))
    }

    // MARK: The kill switch

    /// Whether the configuration has it, and `bondd unlock` was not used since.
    var wantsKillSwitch: Bool {
        if case .client(let client) = configuration.role { client.killSwitch && !isUnlocked } else { false }
    }

    /// The addresses that the server's name last had.
    func rememberedEndpoints(of name: HostPort) -> [Endpoint] {
        wantsKillSwitch ? memory.endpoints(of: name) : []
    }

    /// The server's name was looked up.
    func learn(_ resolution: Resolver.Resolution) {
        guard wantsKillSwitch else { return }
        do throws(ControlError) {
            guard try memory.learn(resolution.endpoints, of: resolution.name) else { return }
        } catch {
            log(.warning, error.description)
        }
        renewKillSwitch()
    }

    private func renewKillSwitch() {
        guard wantsKillSwitch else { return }
        do throws(ControlError) {
            try setKillSwitch()
            killSwitchProblem = nil
        } catch {
            log(.error, error.description)
            killSwitchProblem = error.description
        }
    }

    private func setKillSwitch() throws(ControlError) {
        guard case .client(let client) = configuration.role else { return }
        let names = client.allEndpoints
        var endpoints: [Endpoint] = []
        for endpoint in names.flatMap({ memory.endpoints(of: $0) }) where !endpoints.contains(endpoint) {
            endpoints.append(endpoint)
        }
        let table = FirewallTable.killSwitch(
            interface: interface, endpoints: endpoints, allowsNames: endpoints.isEmpty)
        guard table != killSwitch else { return }
        try socket.replace(table)
        if killSwitch == nil { log(.info, "the kill switch is on: nothing leaves outside the tunnel") }
        if endpoints.isEmpty {
            log(
                .warning,
                "no address of the server is known yet; until one is, names may be looked up outside the tunnel"
            )
        }
        killSwitch = table
    }

    /// Lifts the kill switch until the configuration is read again.
    /// - Returns: whether there was one.
    func unlock() throws(ControlError) -> Bool {
        let wasThere = try socket.remove(table: FirewallTable.killSwitchName(interface: interface))
        isUnlocked = true
        killSwitch = nil
        if wasThere { log(.warning, "the kill switch is lifted, as bondd unlock was used") }
        return wasThere
    }

    private func liftKillSwitch() {
        (killSwitch, killSwitchProblem) = (nil, nil)
        do throws(ControlError) {
            let wasThere = try socket.remove(table: FirewallTable.killSwitchName(interface: interface))
            if wasThere { log(.warning, "the kill switch is lifted, as the configuration has none") }
        } catch {
            log(.debug, error.description)
        }
    }

    // MARK: Status

    /// What keeps traffic from the tunnel or clients from the internet, a sentence each.
    var problems: [String] {
        [killSwitchProblem, returnProblem, services.problem, services.censusProblem].compactMap(\.self)
            + services.foreign + forwardingProblems
    }

    /// What there is, and what it has counted; nil when there is nothing.
    var status: FirewallStatus? {
        guard nat != nil || killSwitch != nil else { return nil }
        var status = FirewallStatus(killSwitch: killSwitch != nil)
        if let nat {
            status.nat = FirewallStatus.NAT(egress: egress)
            let counts = (try? socket.counts(table: nat.name)) ?? [:]
            let (sent, received) = (counts[FirewallTable.outbound], counts[FirewallTable.inbound])
            status.nat?.sentPackets = sent?.packets ?? 0
            status.nat?.sentBytes = sent?.bytes ?? 0
            status.nat?.receivedPackets = received?.packets ?? 0
            status.nat?.receivedBytes = received?.bytes ?? 0
        }
        if let killSwitch {
            let counts = (try? socket.counts(table: killSwitch.name)) ?? [:]
            status.refusedPackets = counts[FirewallTable.refused]?.packets ?? 0
        }
        return status
    }
}
