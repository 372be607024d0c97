import Packet
import Rules

extension RelayLoop {
    /// The location of a target.
    enum Whereabouts {
        /// Its addresses, to be tried in this order.
        case addresses([IPAddress])
        /// Its name is being resolved; the waiter is notified.
        case later
        /// Its name does not resolve.
        case nowhere
    }

    /// The location of a rule's target, restricted to permitted addresses.
    /// - Parameter waiter: the object to notify if the name has to be resolved.
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

    /// Resumes objects that waited for names.
    mutating func takeAnswers() {
        resolver.processDeadlines(poller)
        var answers = resolver.takeAnswers()
        while !answers.isEmpty {
            for answer in answers { take(answer) }
            // Resumed objects may have requested other names.
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
