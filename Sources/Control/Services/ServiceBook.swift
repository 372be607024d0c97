import ControlProtocol
import Portunus
import Rules

/// The state of a service plane.
struct ServiceBook {
    /// The networks inside the tunnel.
    var reach: Reach
    /// All rules, including those that cannot be carried.
    var services: [RuleID: Service] = [:]
    /// Removed rules that still have open connections.
    var leaving: [Service] = []
    /// Ports of this host's own programs, which pushed rules cannot use: bondd's, and the one of `[health]`.
    var reserved = ReservedPorts()
    /// Whether pushed rules may lead out of the tunnel.
    var pushedMayLeave = false

    /// The joint limits of owners' rules.
    var limits: [String: RateLimit] = [:]
    /// The remaining quotas of owners, as last known.
    var quotas: [String: Quota] = [:]
    /// The rules and owners that this session of the control plane has named; nil before the first session.
    var names: SessionNames?
    /// Since when a session has not renewed quotas whose month has ended, although it would have.
    var silent: [String: SuspendingClock.Instant] = [:]
    /// The limits that have been reported as exceeded.
    var exceeded: Set<Excess> = []

    /// Whether the control plane's limits on UDP flows differ significantly from the kernel's own.
    var limitsFlows = false

    /// The control plane whose rules are carried.
    var plane = FollowedPlane()
    /// The changes since the state was last stored.
    var unsaved = UnsavedChanges()
    /// The traffic carried by the kernel.
    var meter = KernelMeter()
    /// The services that bondd has for the kernel.
    var kernel = KernelHandover()

    /// A limit on what a control plane may push.
    enum Excess {
        case owners, rules
    }

    init(reach: Reach) { self.reach = reach }

    /// The ports shared by server names.
    var namedPorts: Set<UInt16> {
        Set(
            services.values.lazy.filter { $0.rule.serverName != nil && $0.failure == nil }
                .map(\.rule.ports.lowerBound))
    }

    /// Why a rule is not carried by the kernel; nil if it is.
    func wayReason(of rule: Rule, _ namedPorts: Set<UInt16>) -> WayReason? {
        let owner = rule.owner ?? ""
        if limitsFlows, rule.transport == .udp, rule.id.source == "portunus" { return .flowLimits }
        return rule.wayReason(
            reach: reach, ownerIsLimited: limits[owner]?.isUnlimited == false,
            ownerHasQuota: quotas[owner] != nil,
            portHasNames: rule.transport == .tcp && rule.ports.count == 1
                && namedPorts.contains(rule.ports.lowerBound))
    }

    /// Decides for each rule whether the kernel gets its new connections.
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

    /// All services to hand to bondd, in a stable order.
    func services(whereExhausted isExhausted: (String) -> Bool) -> [HandedService] {
        (Array(services.values) + leaving).compactMap { service -> HandedService? in
            // Open connections of an owner without remaining quota are ended.
            if service.share == .draining, let owner = service.rule.owner, isExhausted(owner) { return nil }
            return service.handed
        }.sorted { $0.rule < $1.rule }
    }
}

extension Rule {
    /// Whether another rule differs in more than its limit.
    func differs(from other: Rule) -> Bool {
        var same = other
        same.limit = limit
        return same != self
    }

    /// Whether the kernel could carry it apart from limits, quotas and other rules, which come and go.
    func mightGoByKernel(_ reach: Reach) -> Bool {
        var bare = self
        bare.limit = RateLimit()
        return bare.wayReason(reach: reach, ownerIsLimited: false, ownerHasQuota: false, portHasNames: false)
            == nil
    }
}
