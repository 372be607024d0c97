import Host
import Packet
import Runtime
import Settings

/// The services that a server's kernel carries, and their connections as last counted.
struct CarriedServices: FirewallJob {
    /// The minimum time between two looks at all connections, and how many times as long as one took.
    private static let censusPause = Interval.seconds(1)
    private static let censusShare: Int64 = 20
    /// How often a census that goes on is looked at.
    private static let glance = Interval.milliseconds(2)

    private(set) var list: [KernelService] = []
    private(set) var table: FirewallTable?
    /// Bytes and packets of each service.
    private(set) var ledger = ServiceLedger()
    /// How many connections are open.
    private(set) var open: [ServiceConnection: Int] = [:]
    /// The connections that are to be ended.
    private var ending: Set<ServiceConnection> = []
    /// A look at all connections that goes on, since when, and whether the services have changed since; nil
    /// when none does.
    private var census: (task: ServiceCensus, began: Instant, isStale: Bool)?
    /// When the connections were last counted, with the services as they are; nil before.
    private var countedAt: Instant?
    /// When they may be counted again.
    private var nextCensus = Instant.zero
    /// Until when connections that were ended are to be kept from coming back.
    private var watchedUntil = Instant.zero
    /// Why services are not carried as they should be.
    private var problem = Notices()
    /// Why it is not known what they carry.
    private var censusProblem = Notices()
    /// The firewalls that drop what belongs to services.
    private var foreign = Notices()

    /// The IP versions that have to be forwarded.
    var families: Set<IPAddress.Family> { Set(list.map(\.target.family)) }
    var problems: [String] { problem.list + censusProblem.list + foreign.list }

    /// Whether these are carried already, and nothing is amiss.
    func areWell(_ other: [KernelService]) -> Bool {
        list == other && problem.list.isEmpty && (table != nil || other.isEmpty)
    }

    func holds(_ host: FirewallHost) -> Bool { table.map { host.socket.holds($0, of: list) } ?? true }

    /// The table that there should be: with `[nat]`, that one says what else may be forwarded.
    private func desired(_ host: FirewallHost) -> FirewallTable {
        let isOpen = ServerNAT.networks(of: host.configuration) != nil || list.isEmpty
        return .services(interface: host.interface, opened: isOpen ? [] : host.opened(families))
    }

    // MARK: - Setting

    /// Begins with these, in place of those that an earlier run left.
    mutating func start(_ list: [KernelService], _ host: FirewallHost) {
        guard !list.isEmpty else {
            removeTable(host)
            return
        }
        do throws(HostError) {
            try carry(list, host, now: .now)
        } catch {
            host.log(.error, error.description)
        }
    }

    /// Carries these in place of those before, at once. Connections of services that are gone are ended.
    mutating func carry(_ new: [KernelService], _ host: FirewallHost, now: Instant) throws(HostError) {
        let old = list
        let (before, after) = (Set(old.flatMap(\.connections)), Set(new.flatMap(\.connections)))
        list = new
        do throws(HostError) {
            try set(from: old, host)
        } catch {
            list = old
            throw error
        }
        ledger.replace(with: new)
        open = open.filter { after.contains($0.key) }
        ending = ending.union(before).subtracting(after)
        problem = Notices()
        if new.isEmpty { foreign = Notices() }
        expectCensus(now: now)
        forward(host)
        if !ending.isEmpty && census == nil { beginCensus(now: now) }
        if old.isEmpty != new.isEmpty {
            host.log(
                .info,
                new.isEmpty ? "no services are carried any more" : "services are carried in the kernel")
        }
    }

    mutating func apply(_ host: FirewallHost) {
        guard !list.isEmpty else { return }
        do throws(HostError) {
            try set(from: list, host)
            problem = Notices()
        } catch {
            problem.replace(
                with: "\(error.description); services are carried by bondd-control meanwhile", host.log)
        }
        forward(host)
    }

    /// Sets the table again, with everything that is to be in it. Its counters begin at zero.
    mutating func repair(_ host: FirewallHost) throws(HostError) {
        let wanted = desired(host)
        try host.socket.replace(wanted, of: list)
        table = wanted
        ledger.restart()
        census?.isStale = true
    }

    mutating func remove(_ host: FirewallHost) {
        self = CarriedServices()
        removeTable(host)
    }

    private mutating func set(from old: [KernelService], _ host: FirewallHost) throws(HostError) {
        let wanted = desired(host)
        if let table {
            if table == wanted && old == list { return }
            do throws(HostError) {
                try host.socket.change(wanted, from: old, to: list, replacingRules: table != wanted)
                self.table = wanted
                return
            } catch {
                // Another program had a hand in it: everything is set again.
                host.log(.debug, error.description)
            }
        } else if list.isEmpty {
            return
        }
        try repair(host)
    }

    private mutating func removeTable(_ host: FirewallHost) {
        table = nil
        host.remove(table: FirewallTable.servicesName(interface: host.interface))
    }

    /// Lets the kernel forward what services need, or no more. `[nat]` sees to it otherwise.
    private mutating func forward(_ host: FirewallHost) {
        guard ServerNAT.networks(of: host.configuration) == nil else { return }
        guard !list.isEmpty else {
            host.restoreForwarding()
            return
        }
        do throws(HostError) {
            try host.forward(families, exits: try host.exits())
        } catch {
            problem.replace(
                with: "\(error.description); services are not carried in the kernel", host.log)
        }
    }

    /// Finds the firewalls that drop what belongs to services.
    /// - Parameter egress: where clients leave.
    mutating func lookBeside(egress: [String], _ host: FirewallHost) {
        guard !list.isEmpty else { return }
        do throws(HostError) {
            let exits = try host.exits()
            let found = try ForeignFirewall.find(
                host.socket, tunnel: host.interface, networks: [],
                egress: Array(Set(exits + egress)).sorted(), services: families)
            foreign.replace(with: found.map(\.sentence), host.log)
        } catch {
            foreign.replace(with: error.description, host.log)
        }
    }

    // MARK: - What they carry

    /// Whether it is known what is carried, as of a second ago or of the last time that may be; it is found
    /// out otherwise.
    mutating func areKnown(now: Instant) -> Bool {
        if list.isEmpty { return true }
        if census == nil && now >= nextCensus { beginCensus(now: now) }
        return census == nil && countedAt != nil
    }

    /// When `attend` is to be called again.
    func deadline(now: Instant) -> Instant {
        if census != nil { return now + Self.glance }
        return isWatching ? watchedUntil : .never
    }

    /// Whether the table is there for nothing but to keep what was ended from coming back.
    private var isWatching: Bool { list.isEmpty && table != nil }

    /// Takes what was found out, and removes a table that is of no use any more.
    mutating func attend(_ host: FirewallHost, now: Instant) {
        guard let census else {
            if isWatching && now >= watchedUntil { removeTable(host) }
            return
        }
        guard let outcome = census.task.outcome else { return }
        self.census = nil
        let cost = now - census.began
        nextCensus = now + max(Self.censusPause, cost * Self.censusShare)
        take(outcome, isStale: census.isStale, host, now: now)
        if census.isStale { expectCensus(now: now) }
        if !ending.isEmpty {
            beginCensus(now: now)
        } else if isWatching && now >= watchedUntil {
            removeTable(host)
        }
    }

    private mutating func take(
        _ outcome: ServiceCensus.Outcome, isStale: Bool, _ host: FirewallHost, now: Instant
    ) {
        censusProblem.replace(with: outcome.problem?.description, host.log)
        if outcome.ended > 0 {
            watchedUntil = now + .milliseconds(Int64(FirewallTable.endedTime))
            host.log(
                .info, "connections of services that are gone were ended", ["count": "\(outcome.ended)"])
        }
        guard !isStale else { return }
        ledger.note(outcome.traffic)
        open = outcome.open
        countedAt = now
    }

    /// The counts that are known are not of the services as they are.
    private mutating func expectCensus(now: Instant) {
        (countedAt, nextCensus) = (nil, now)
        census?.isStale = true
    }

    private mutating func beginCensus(now: Instant) {
        let task = ServiceCensus(table: table.map(\.name), services: list, ending: ending)
        census = (task, now, false)
        ending = []
    }
}
