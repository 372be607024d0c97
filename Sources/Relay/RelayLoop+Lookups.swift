import Packet
import Rules

extension RelayLoop {
    /// Where a target is.
    enum Whereabouts {
        /// There, to be tried in this order.
        case addresses([IPAddress])
        /// Its name is looked up; whoever asked is told.
        case later
        /// Its name means nothing.
        case nowhere
    }

    /// Where a target of a rule is, as far as it may be dialled.
    /// - Parameter waiter: who is told when that has to be looked up.
    mutating func find(_ target: Int, of number: Int, for waiter: Token) -> Whereabouts {
        let service = services[number]
        if let address = service.pointee.literals[target] {
            return .addresses(service.pointee.rule.dialOrder([address], reach: reach))
        }
        let name = service.pointee.rule.targets[target].host.lowercased()
        switch names.look(up: name, at: now) {
        case .addresses(let addresses):
            return .addresses(service.pointee.rule.dialOrder(addresses, reach: reach))
        case .unknown: return .nowhere
        case .ask:
            resolver.ask(name, poller)
            fallthrough
        case .wait:
            waiters[name, default: []].append((waiter, number))
            return .later
        }
    }

    /// Carries on with those that waited for names.
    mutating func takeAnswers() {
        resolver.processDeadlines(poller)
        var answers = resolver.takeAnswers()
        while !answers.isEmpty {
            for answer in answers { take(answer) }
            // Those that carried on may have asked for other names.
            answers = resolver.takeAnswers()
        }
    }

    private mutating func take(_ answer: Resolver.Answer) {
        let addresses =
            names.resolve(answer.name, to: answer.addresses, lifetime: answer.lifetime, at: now) ?? []
        for (waiter, number) in waiters.removeValue(forKey: answer.name) ?? [] {
            guard isThere(waiter) else { continue }
            let service = services[number]
            if addresses.isEmpty && waiter.kind != .probe {
                service.pointee.report.failedLookups += 1
            }
            let order = service.pointee.rule.dialOrder(addresses, reach: reach)
            switch waiter.kind {
            case .connection: resume(waiter.index, with: order)
            case .flow: beginFlow(waiter.index, at: order)
            default: beginProbe(waiter.index, at: order)
            }
        }
    }

    private func isThere(_ waiter: Token) -> Bool {
        switch waiter.kind {
        case .connection: connections.contains(waiter)
        case .flow: flows.contains(waiter)
        default: probes.contains(waiter)
        }
    }
}
