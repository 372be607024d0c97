import Host
import Packet
import Settings

// What a server's kernel carries of services.
extension HostFirewall {
    /// The least time between two looks at all connections, and how many times as long as one took.
    private static let censusPause = Interval.seconds(1)
    private static let censusShare: Int64 = 20
    /// How often one that is under way is looked at.
    private static let glance = Interval.milliseconds(2)

    private var servicesName: String { FirewallTable.servicesName(interface: interface) }

    /// What the table is to be: with `[nat]`, that one says what else may be forwarded.
    private var servicesTable: FirewallTable {
        .services(
            interface: interface,
            opened: wantsNAT || services.list.isEmpty ? [] : forwarding.closed(services.families))
    }

    /// Begins with these, in place of what an earlier run left.
    func startServices(_ list: [KernelService]) {
        guard !list.isEmpty else {
            removeServicesTable()
            return
        }
        do throws(HostError) {
            try carry(list, now: Instant.now)
        } catch {
            log(.error, error.description)
        }
    }

    /// Carries these in place of what was carried before, at once. What is not among them any more is ended.
    func carry(_ list: [KernelService], now: Instant) throws(HostError) {
        let old = services.list
        let (before, after) = (Set(old.flatMap(\.connections)), Set(list.flatMap(\.connections)))
        services.list = list
        do throws(HostError) {
            try setServices(from: old)
        } catch {
            services.list = old
            throw error
        }
        services.ledger.replace(with: list)
        services.open = services.open.filter { after.contains($0.key) }
        services.ending = services.ending.union(before).subtracting(after)
        services.problem = nil
        if list.isEmpty { services.foreign = [] }
        expectCensus(now: now)
        forwardServices()
        if !services.ending.isEmpty && services.census == nil { beginCensus(now: now) }
        if old.isEmpty != list.isEmpty {
            log(
                .info,
                list.isEmpty ? "no services are carried any more" : "services are carried in the kernel")
        }
    }

    /// Does what is to be done for services with the routes and the configuration as they are now.
    func applyServices() {
        guard !services.list.isEmpty else { return }
        do throws(HostError) {
            try setServices(from: services.list)
            services.problem = nil
        } catch {
            note("\(error.description); services are carried by bondd-control meanwhile")
        }
        forwardServices()
    }

    /// Sets the table anew, with all that is to be in it. Its counters begin anew.
    func resetServices() throws(HostError) {
        let table = servicesTable
        try socket.replace(table, of: services.list)
        services.table = table
        services.ledger.restart()
        services.census?.isStale = true
    }

    /// Removes the table, and puts forwarding back.
    func removeServices() {
        services = CarriedServices()
        removeServicesTable()
    }

    private func setServices(from old: [KernelService]) throws(HostError) {
        let table = servicesTable
        if let current = services.table {
            if current == table && old == services.list { return }
            do throws(HostError) {
                try socket.change(
                    table, from: old, to: services.list, replacingRules: current != table)
                services.table = table
                return
            } catch {
                // Somebody had a hand in it: all anew.
                log(.debug, error.description)
            }
        } else if services.list.isEmpty {
            return
        }
        try resetServices()
    }

    private func removeServicesTable() {
        services.table = nil
        do throws(HostError) {
            _ = try socket.remove(table: servicesName)
        } catch {
            log(.debug, error.description)
        }
    }

    /// Lets the kernel forward what services need, or no more. `[nat]` sees to it otherwise.
    private func forwardServices() {
        guard !wantsNAT else { return }
        guard !services.list.isEmpty else {
            restoreForwarding()
            return
        }
        do throws(HostError) {
            try forwarding.enable(
                services.families, exits: try netlink.defaultInterfaces(except: interface))
        } catch {
            note("\(error.description); services are not carried in the kernel")
        }
    }

    /// Looks whose firewalls drop what belongs to services.
    func lookBesideServices() {
        guard !services.list.isEmpty else { return }
        var problems: [String] = []
        do throws(HostError) {
            let exits = try netlink.defaultInterfaces(except: interface)
            problems = try ForeignFirewall.find(
                socket, tunnel: interface, networks: [],
                egress: Array(Set(exits + egress)).sorted(), services: services.families
            ).map(\.sentence)
        } catch {
            problems = [error.description]
        }
        for problem in problems where !services.foreign.contains(problem) { log(.warning, problem) }
        services.foreign = problems
    }

    private func note(_ problem: String) {
        if services.problem != problem { log(.warning, problem) }
        services.problem = problem
    }

    // MARK: What they carry

    /// Whether it is known what is carried, as of a second ago or of the last time that may be; it is found out otherwise.
    func knowsServices(now: Instant) -> Bool {
        if services.list.isEmpty { return true }
        if services.census == nil && now >= services.nextCensus { beginCensus(now: now) }
        return services.census == nil && services.countedAt != nil
    }

    /// When `attendServices` is to be called again.
    func servicesDeadline(now: Instant) -> Instant {
        if services.census != nil { return now + Self.glance }
        return isWatching ? services.watchedUntil : .never
    }

    /// Whether the table is there for nothing but to keep what was ended from coming back.
    private var isWatching: Bool { services.list.isEmpty && services.table != nil }

    /// Takes what was found out, and removes a table that is of no use any more.
    func attendServices(now: Instant) {
        guard let census = services.census else {
            if isWatching && now >= services.watchedUntil { removeServicesTable() }
            return
        }
        guard let outcome = census.task.outcome else { return }
        services.census = nil
        let cost = now - census.began
        services.nextCensus = now + max(Self.censusPause, cost * Self.censusShare)
        take(outcome, isStale: census.isStale, now: now)
        if census.isStale { expectCensus(now: now) }
        if !services.ending.isEmpty {
            beginCensus(now: now)
        } else if isWatching && now >= services.watchedUntil {
            removeServicesTable()
        }
    }

    private func take(_ outcome: ServiceCensus.Outcome, isStale: Bool, now: Instant) {
        let problem = outcome.problem?.description
        if let problem, problem != services.censusProblem { log(.warning, problem) }
        services.censusProblem = problem
        if outcome.ended > 0 {
            services.watchedUntil = now + .milliseconds(Int64(FirewallTable.endedTime))
            log(.info, "connections of services that are gone were ended", ["count": "\(outcome.ended)"])
        }
        guard !isStale else { return }
        services.ledger.note(outcome.traffic)
        services.open = outcome.open
        services.countedAt = now
    }

    /// What is known is not of the services as they are.
    private func expectCensus(now: Instant) {
        (services.countedAt, services.nextCensus) = (nil, now)
        services.census?.isStale = true
    }

    private func beginCensus(now: Instant) {
        let task = ServiceCensus(
            table: services.table.map(\.name), services: services.list, ending: services.ending)
        services.census = (task, now, false)
        services.ending = []
    }
}
