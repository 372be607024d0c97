import Glibc
import Portunus
import Rules

// Rules and limits pushed by a control plane.
extension ServicePlane: RuleKeeper {
    /// Maximum number of rules that are kept although they cannot be carried.
    private static let mostFailures = 1024

    /// Maximum number of a control plane's rules; each is kept in memory, in the state's file and in every report.
    private static let mostRules = 4096

    /// Begins a session; rules and owners it does not name may be dropped later.
    package func welcome(flowIdle: Int?, maximumFlows: Int?) {
        book.withLock { book in
            book.names = SessionNames(began: Int64(time(nil)))
            book.limitsFlows = (flowIdle ?? 60, maximumFlows ?? 1024) != (60, 1024)
        }
        relay.setFlows(idle: flowIdle, maximum: maximumFlows)
    }

    /// Carries a rule, or changes the limit of one that is carried. Any other rule with the number is replaced:
    /// a control plane reuses numbers after a restart.
    package func push(_ rule: Rule, done: @escaping @Sendable (RuleRefusal?) -> Void) {
        guard case .pushed(let number) = rule.id else { return done(.unknownRuleID) }
        let (refusal, isNew, reach, asked) = book.withLock { book in
            var rule = rule
            rule.mayLeaveTunnel = book.pushedMayLeave
            let (refusal, isNew) = take(rule, number, &book)
            return (refusal, isNew, book.reach, rule)
        }
        changed.signal()
        guard isNew && refusal == nil else { return done(refusal) }
        names.begin(asked, reach: reach) { leadsOutside in
            if leadsOutside { self.refuse(asked) }
            done(leadsOutside ? .invalidTargetHost : nil)
        }
    }

    /// - Returns: the answer for the control plane, and whether the rule was not carried before.
    private func take(_ rule: Rule, _ number: UInt64, _ book: inout ServiceBook) -> (RuleRefusal?, Bool) {
        book.names?.push(number)
        if let service = book.services[rule.id], service.failure == nil {
            if !rule.differs(from: service.rule) {
                if service.rule.limit != rule.limit {
                    setLimit(rule.limit, of: rule.id, &book)
                    book.unsaved.note(rule: number)
                }
                return (nil, false)
            }
            remove(rule.id, &book)
        }
        book.unsaved.note(rule: number)
        let isKnown = book.services[rule.id] != nil
        guard isKnown || book.services.keys.count(where: { $0.source == "portunus" }) < Self.mostRules else {
            if book.exceeded.insert(.rules).inserted {
                log(.error, rule.sentence(.tooMany), ["rules": "\(Self.mostRules)"])
            }
            return (.tooMany, false)
        }
        var refusal = add(rule, &book, retries: false)
        if case .portInUse? = refusal, dropStale(inTheWayOf: rule, &book) {
            refusal = add(rule, &book, retries: false)
        }
        if refusal?.isPassing == true { return (nil, false) }
        if refusal != nil && book.services.values.count(where: { $0.failure != nil }) > Self.mostFailures {
            book.services[rule.id] = nil
        }
        return (refusal, true)
    }

    /// Removes rules on the rule's ports that this session has not named: the control plane assigns no port
    /// twice, so it no longer knows them.
    /// - Returns: whether there were any.
    private func dropStale(inTheWayOf rule: Rule, _ book: inout ServiceBook) -> Bool {
        guard let names = book.names else { return false }
        let stale = book.services.values.compactMap { service -> UInt64? in
            guard case .pushed(let number) = service.rule.id, service.failure == nil, !names.contains(number),
                service.rule.transport == rule.transport, service.rule.ports.overlaps(rule.ports)
            else { return nil }
            return number
        }
        for number in stale {
            remove(.pushed(number), &book)
            book.unsaved.note(rule: number)
        }
        return !stale.isEmpty
    }

    /// Stops a rule whose targets have turned out to be outside.
    private func refuse(_ rule: Rule) {
        guard case .pushed(let number) = rule.id else { return }
        book.withLock { book in
            guard let service = book.services[rule.id], service.failure == nil, service.rule == rule else {
                return
            }
            relay.remove(rule.id, drain: 0)
            book.services[rule.id]?.failure = .invalidTargetHost
            book.services[rule.id]?.share = .none
            book.unsaved.note(rule: number)
        }
        changed.signal()
    }

    /// Stops a rule, and ends its open connections within `drain` seconds.
    package func remove(_ number: UInt64) -> Bool {
        let isKnown = book.withLock { book in
            book.names?.remove(number)
            guard book.services[.pushed(number)] != nil else { return false }
            remove(.pushed(number), &book)
            book.unsaved.note(rule: number)
            return true
        }
        changed.signal()
        return isKnown
    }

    /// The numbers of the pushed rules that are carried.
    package func carried() -> Set<UInt64> {
        book.withLock { book in
            Set(
                book.services.values.compactMap { service in
                    guard case .pushed(let number) = service.rule.id, service.failure == nil else {
                        return nil
                    }
                    return number
                })
        }
    }

    /// Stops the pushed rules that are not among these, and lifts limits and quotas that the session would have named.
    package func keep(only numbers: Set<UInt64>) {
        let gone = book.withLock { book in
            liftUnnamed(&book)
            return book.services.keys.compactMap { id -> UInt64? in
                guard case .pushed(let number) = id, !numbers.contains(number) else { return nil }
                return number
            }
        }
        for number in gone { _ = remove(number) }
        changed.signal()
        if !gone.isEmpty {
            log(
                .info, "removed rules that the control plane no longer lists",
                ["rules": "\(gone.count)"])
        }
    }

    /// Traffic of pushed rules, in the kernel and here; nil if there are none.
    package func report() -> ServiceReport? {
        let (isEmpty, namedPorts) = book.withLock { book in
            let pushed = book.services.values.filter { $0.rule.id.source == "portunus" }
            return (
                pushed.isEmpty, Set(pushed.filter { $0.rule.serverName != nil }.map(\.rule.ports.lowerBound))
            )
        }
        guard !isEmpty else { return nil }
        var report = wholeReport(ofThisRun: true)
        report.rules.removeAll { $0.id.source != "portunus" }
        report.listeners.removeAll { !namedPorts.contains($0.port) }
        return report
    }

    /// Records the connection's state, and logs changes.
    package func stateChanged(_ state: PlaneState) {
        let (old, status) = book.withLock { book in
            let old = book.plane.state
            book.plane.state = state
            return (old, book.planeStatus)
        }
        guard old != state else { return }
        switch state {
        case .connected: log(.info, "connected to the control plane", ["endpoint": status.endpoint ?? ""])
        case .connecting:
            // Logs only the first of several failed attempts.
            if old == .connected || old == nil, let problem = status.problem { log(.warning, problem) }
        case .unauthorized, .wrongCertificate: log(.error, status.problem ?? "")
        }
    }
}
