import Host
import Packet
import Runtime
import Settings

/// The services that a server's kernel carries, and their connections as last counted.
struct CarriedServices: FirewallJob {
    /// The pause between two counts of all connections: at least this, and this many times what the last one
    /// took.
    private static let censusPause = Interval.seconds(1)
    private static let censusShare: Int64 = 20
    /// The time between looks at a running census.
    private static let glance = Interval.milliseconds(2)

    private(set) var list: [KernelService] = []
    private(set) var table: FirewallTable?
    /// Bytes and packets of each service.
    private(set) var ledger = ServiceLedger()
    /// The number of open connections.
    private(set) var open: [ServiceConnection: Int] = [:]
    /// The connections to end.
    private var ending: Set<ServiceConnection> = []
    /// The running count of all connections, its start, and whether the services have changed since; nil if
    /// none is running.
    private var census: (task: ServiceCensus, began: Instant, isStale: Bool)?
    /// When the connections of the present services were last counted; nil if they were not.
    private var countedAt: Instant?
    /// The earliest time of the next count.
    private var nextCensus = Instant.zero
    /// The time until which connections that were ended are kept from coming back.
    private var watchedUntil = Instant.zero
    /// Why the services are not carried as desired.
    private var problem = Notices()
    /// Why their traffic is not known.
    private var censusProblem = Notices()
    /// The firewalls that drop packets of services.
    private var foreign = Notices()

    /// The IP versions that the kernel has to forward.
    var families: Set<IPAddress.Family> { Set(list.map(\.target.family)) }
    var problems: [String] { problem.list + censusProblem.list + foreign.list }

    /// Whether these are carried already, without a problem.
    func areWell(_ other: [KernelService]) -> Bool {
        list == other && problem.list.isEmpty && (table != nil || other.isEmpty)
    }

    func holds(_ host: FirewallHost) -> Bool { table.map { host.socket.holds($0, of: list) } ?? true }

    /// The desired table. With `[nat]`, the table of `ServerNAT` decides what else is forwarded.
    private func desired(_ host: FirewallHost) -> FirewallTable {
        let isOpen = ServerNAT.networks(of: host.configuration) != nil || list.isEmpty
        return .services(interface: host.interface, opened: isOpen ? [] : host.opened(families))
    }

    // MARK: - Setting

    /// Sets the table of these services, in place of one that an earlier run left.
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

    /// Replaces the services at once. Connections of services that are gone are ended.
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
                new.isEmpty ? "the kernel carries no services any more" : "services are carried in the kernel"
            )
        }
    }

    mutating func apply(_ host: FirewallHost) {
        guard !list.isEmpty else { return }
        do throws(HostError) {
            try set(from: list, host)
            problem = Notices()
        } catch {
            problem.replace(
                with: "\(error.description); bondd-control carries the services until then", host.log)
        }
        forward(host)
    }

    /// Sets the whole table again. Its counters start from zero.
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
                // Another program has changed the table: set all of it again.
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

    /// Switches forwarding on if services need it, or restores it. With `[nat]`, `ServerNAT` does so.
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

    /// Finds the firewalls of other programs that drop packets of services.
    /// - Parameter egress: the interfaces by which clients leave.
    mutating func findBlockers(egress: [String], _ host: FirewallHost) {
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

    /// Whether the traffic is known, as of a second ago or of the last permitted count; starts a count
    /// otherwise.
    mutating func areKnown(now: Instant) -> Bool {
        if list.isEmpty { return true }
        if census == nil && now >= nextCensus { beginCensus(now: now) }
        return census == nil && countedAt != nil
    }

    /// When to call `attend` again.
    func deadline(now: Instant) -> Instant {
        if census != nil { return now + Self.glance }
        return isWatching ? watchedUntil : .never
    }

    /// Whether the table remains only to keep connections that were ended from coming back.
    private var isWatching: Bool { list.isEmpty && table != nil }

    /// Takes the result of a count, and removes a table that is no longer needed.
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
                .info, "connections of removed services were ended", ["count": "\(outcome.ended)"])
        }
        guard !isStale else { return }
        ledger.note(outcome.traffic)
        open = outcome.open
        countedAt = now
    }

    /// Marks the counts as outdated, because the services have changed.
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
