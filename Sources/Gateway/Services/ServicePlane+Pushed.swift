import Portunus
import Rules

// What a control plane pushes.
extension ServicePlane: RuleKeeper {
    /// The most rules that are remembered although they can't be carried.
    private static let mostFailures = 1024

    /// A session began; what it names of owners is from it.
    public func welcome(flowIdle: Int?, maximumFlows: Int?) {
        book.withLock { book in
            book.namedLimits = []
            book.namedQuotas = []
            book.limitsFlows = (flowIdle ?? 60, maximumFlows ?? 1024) != (60, 1024)
        }
        carrier.setFlows(idle: flowIdle, maximum: maximumFlows)
    }

    /// Carries a rule, or changes the limit of one that is carried; nothing else of it can change.
    public func push(_ rule: Rule, done: @escaping @Sendable (RuleRefusal?) -> Void) {
        guard case .pushed(let number) = rule.id else { return done(.unknownRuleID) }
        var rule = rule
        rule.mayLeaveTunnel = book.withLock { $0.pushedMayLeave }
        let (refusal, isNew, reach) = book.withLock { [rule] book -> (RuleRefusal?, Bool, Reach) in
            if let service = book.services[rule.id], service.failure == nil {
                if service.rule.limit != rule.limit {
                    setLimit(rule.limit, of: rule.id, &book)
                    book.unsaved.insert(number)
                }
                return (nil, false, book.reach)
            }
            let refusal = add(rule, &book, retries: false)
            book.unsaved.insert(number)
            if refusal?.isPassing == true { return (nil, false, book.reach) }
            if refusal != nil && book.services.values.count(where: { $0.failure != nil }) > Self.mostFailures
            {
                book.services[rule.id] = nil
            }
            return (refusal, true, book.reach)
        }
        changed.signal()
        guard isNew && refusal == nil else { return done(refusal) }
        names.begin(rule, reach: reach) { [rule] leadsOutside in
            if leadsOutside { self.refuse(rule) }
            done(leadsOutside ? .invalidTargetHost : nil)
        }
    }

    /// Stops a rule whose targets have turned out to be outside.
    private func refuse(_ rule: Rule) {
        guard case .pushed(let number) = rule.id else { return }
        book.withLock { book in
            guard let service = book.services[rule.id], service.failure == nil, service.rule == rule else {
                return
            }
            carrier.remove(rule.id, drain: 0)
            book.services[rule.id]?.failure = .invalidTargetHost
            book.services[rule.id]?.share = .none
            book.unsaved.insert(number)
        }
        changed.signal()
    }

    /// Stops a rule, and whatever is open of it within `drain` seconds.
    public func remove(_ number: UInt64) -> Bool {
        let isKnown = book.withLock { book in
            guard book.services[.pushed(number)] != nil else { return false }
            remove(.pushed(number), &book)
            book.unsaved.insert(number)
            return true
        }
        changed.signal()
        return isKnown
    }

    /// Stops the pushed rules that are not among these, and lifts limits and quotas that the session has not named.
    public func keep(only numbers: Set<UInt64>) {
        let (gone, limits, quotas) = book.withLock { book in
            let gone = book.services.keys.compactMap { id -> UInt64? in
                guard case .pushed(let number) = id, !numbers.contains(number) else { return nil }
                return number
            }
            return (
                gone, book.limits.keys.filter { !book.namedLimits.contains($0) },
                book.quotas.keys.filter { !book.namedQuotas.contains($0) }
            )
        }
        for number in gone { _ = remove(number) }
        for owner in limits { setLimit(nil, ofOwner: owner) }
        for owner in quotas { setQuota(nil, ofOwner: owner) }
        if !gone.isEmpty {
            log(
                .info, "rules are gone that the control plane does not name any more",
                ["rules": "\(gone.count)"])
        }
    }

    /// Changes an owner's limit, also for what is established.
    public func setLimit(_ limit: RateLimit?, ofOwner owner: String) {
        book.withLock { book in
            book.limits[owner] = limit
            book.namedLimits.insert(owner)
            book.unsavedOwners.insert(owner)
            carrier.setLimit(limit, ofOwner: owner)
        }
        changed.signal()
    }

    /// Changes an owner's quota, likewise.
    public func setQuota(_ quota: Quota?, ofOwner owner: String) {
        book.withLock { book in
            book.quotas[owner] = quota
            book.namedQuotas.insert(owner)
            book.unsavedOwners.insert(owner)
            carrier.setQuota(quota, ofOwner: owner)
        }
        changed.signal()
    }

    /// What pushed rules have carried, by the kernel and here; nil when there are none.
    public func report() -> ServiceReport? {
        let (isEmpty, namedPorts) = book.withLock { book in
            let pushed = book.services.values.filter { $0.rule.id.source == "portunus" }
            return (
                pushed.isEmpty, Set(pushed.filter { $0.rule.serverName != nil }.map(\.rule.ports.lowerBound))
            )
        }
        guard !isEmpty else { return nil }
        var report = wholeReport()
        report.rules.removeAll { $0.id.source != "portunus" }
        report.listeners.removeAll { !namedPorts.contains($0.port) }
        return report
    }

    /// Remembers how the connection is doing, and tells the log when that is news.
    public func stateChanged(_ state: PlaneState) {
        let (old, status) = book.withLock { book in
            let old = book.plane
            book.plane = state
            return (old, book.planeStatus)
        }
        guard old != state else { return }
        switch state {
        case .connected: log(.info, "the control plane is there", ["endpoint": status.endpoint ?? ""])
        case .connecting:
            // Each try that fails is one of many.
            if old == .connected || old == nil, let problem = status.problem { log(.warning, problem) }
        case .unauthorized, .wrongCertificate: log(.error, status.problem ?? "")
        }
    }
}
