import Packet
import Rules

extension RelayLoop {
    /// Carries out a command.
    mutating func perform(_ command: Command) {
        switch command {
        case .setReach(let reach): self.reach = reach
        case .add(let rule, let reply):
            guard isRunning else { return reply.answer(.outOfDescriptors) }
            do throws(RuleRefusal) {
                try add(rule)
                reply.answer(nil)
            } catch {
                reply.answer(error)
            }
        case .remove(let id, let drain, let reply): reply.answer(remove(id, drain: drain))
        case .setLimit(let limit, let id): setLimit(limit, of: id)
        case .setOwnerLimit(let limit, let owner): setLimit(limit, ofOwner: owner)
        case .setQuota(let quota, let owner): setQuota(quota, ofOwner: owner)
        case .consume(let bytes, let owner):
            if let number = ownerNumbers[owner] { consume(bytes, owner: number) }
        case .setFlows(let idle, let maximum): setFlows(idle: idle, maximum: maximum)
        case .report(let reply): reply.answer(report())
        case .stop: isRunning = false
        }
    }

    private mutating func setLimit(_ limit: RateLimit, of id: RuleID) {
        guard let number = serviceNumbers[id] else { return }
        services[number].pointee.allowance.set(limit, at: now)
        unparkAll(service: number)
    }

    private mutating func setLimit(_ limit: RateLimit?, ofOwner name: String) {
        guard limit != nil || ownerNumbers[name] != nil else { return }
        let number = owner(named: name)
        owners[number].pointee.allowance?.set(limit ?? RateLimit(), at: now)
        unparkAll(service: -1, owner: number)
        forgetOwner(number)
    }

    private mutating func setQuota(_ quota: Quota?, ofOwner name: String) {
        guard quota != nil || ownerNumbers[name] != nil else { return }
        let number = owner(named: name)
        owners[number].pointee.meter = quota.map { QuotaMeter($0) }
        noticeQuota(number)
        unparkAll(service: -1, owner: number)
        forgetOwner(number)
    }

    private mutating func setFlows(idle: Int?, maximum: Int?) {
        flowIdle = .seconds(Int64(min(max(idle ?? 60, 30), 300)))
        maximumFlows = min(max(maximum ?? 1024, 1), 65_535)
        for index in 0..<flows.end where flows.contains(index) { wakeFlow(index) }
    }

    /// Closes everything.
    mutating func closeAll() {
        for index in 0..<connections.end where connections.contains(index) { drop(index, reset: true) }
        for index in 0..<flows.end where flows.contains(index) { endFlow(index) }
        for id in Array(serviceNumbers.keys) { _ = remove(id, drain: 0) }
    }
}
