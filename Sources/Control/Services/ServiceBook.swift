import ControlProtocol
import Portunus
import Rules

/// What a service plane knows.
struct ServiceBook {
    /// What is inside the tunnel.
    var reach: Reach
    /// All rules, also those that can't be carried.
    var services: [RuleID: Service] = [:]
    /// Rules that were removed, as long as something of them is open.
    var leaving: [Service] = []
    /// Ports that are this host's own, which pushed rules don't get: bondd's, and the one of `[health]`.
    var reserved = ReservedPorts()
    /// Whether pushed rules may lead out of the tunnel.
    var pushedMayLeave = false

    /// What owners' rules may take together.
    var limits: [String: RateLimit] = [:]
    /// What owners' rules may still carry, as it was last known.
    var quotas: [String: Quota] = [:]
    /// What this session of the control plane has named; nil: there was none yet.
    var names: SessionNames?
    /// Since when quotas whose month has ended are not said again by a session that would have.
    var silent: [String: SuspendingClock.Instant] = [:]
    /// Whether it was told that there are too many owners, and rules.
    var saidTooMany = false
    var saidTooManyRules = false

    /// Whether the control plane limits UDP flows otherwise than the kernel does by itself, near enough.
    var limitsFlows = false

    /// How the control plane is doing; nil: there is none.
    var plane: PlaneState?
    /// Why there is none, when there should be.
    var missing: String?
    /// Where it is.
    var endpoint: String?
    /// What the state's rows of it are kept under; nil: there is none.
    var key: String?

    /// Pushed rules that the state's file has otherwise.
    var unsaved: Set<UInt64> = []
    /// Owners whose limit or quota the state's file has otherwise.
    var unsavedOwners: Set<String> = []

    /// What the kernel has carried.
    var meter = KernelMeter()
    /// What bondd has last taken over; nil: nothing was handed to the bondd that runs.
    var handed: [HandedService]?
    /// bondd's run that `handed` was given to.
    var run: String?
    /// What bondd had against it, which is told once.
    var refusal = ""
    /// Which of them it has left out, and why; they are handed over again after a while.
    var refused: [String: String] = [:]
    var refusedUntil = ContinuousClock.now

    init(reach: Reach) { self.reach = reach }

    /// The ports that are shared by server names.
    var namedPorts: Set<UInt16> {
        Set(
            services.values.lazy.filter { $0.rule.serverName != nil && $0.failure == nil }
                .map(\.rule.ports.lowerBound))
    }

    /// Why a rule is not for the kernel; nil: it is.
    func wayReason(of rule: Rule, _ namedPorts: Set<UInt16>) -> WayReason? {
        let owner = rule.owner ?? ""
        if limitsFlows, rule.transport == .udp, rule.id.source == "portunus" { return .flowLimits }
        return rule.wayReason(
            reach: reach, ownerIsLimited: limits[owner]?.isUnlimited == false,
            ownerHasQuota: quotas[owner] != nil,
            portHasNames: rule.transport == .tcp && rule.ports.count == 1
                && namedPorts.contains(rule.ports.lowerBound))
    }

    /// Decides for each rule whether the kernel has its new connections.
    mutating func decideWays() {
        let namedPorts = namedPorts
        for (id, service) in services {
            if service.failure == nil && wayReason(of: service.rule, namedPorts) == nil {
                services[id]!.share = .accepting
            } else if service.share == .accepting {
                services[id]!.share = .draining
            }
        }
    }

    /// All that bondd is to have, in a steady order.
    func services(whereExhausted isExhausted: (String) -> Bool) -> [HandedService] {
        (Array(services.values) + leaving).compactMap { service -> HandedService? in
            // What is open of an owner without quota left is ended.
            if service.share == .draining, let owner = service.rule.owner, isExhausted(owner) { return nil }
            return service.handed
        }.sorted { $0.rule < $1.rule }
    }
}

extension Rule {
    /// Whether another rule is more than the same with another limit.
    func differs(from other: Rule) -> Bool {
        var same = other
        same.limit = limit
        return same != self
    }

    /// Whether the kernel would carry it, were it not for limits, quotas and other rules, which come and go.
    func mightGoByKernel(_ reach: Reach) -> Bool {
        var bare = self
        bare.limit = RateLimit()
        return bare.wayReason(reach: reach, ownerIsLimited: false, ownerHasQuota: false, portHasNames: false)
            == nil
    }
}
