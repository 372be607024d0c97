import CLinux
import Glibc
import Packet
import Rules

extension RelayLoop {
    /// Adds a rule completely, or not at all.
    mutating func add(_ rule: Rule) throws(RuleRefusal) {
        if let refusal = rule.refusal(reach: reach) { throw refusal }
        if serviceNumbers[rule.id] != nil { throw .duplicateRuleID }
        var taken: [Int] = []
        do throws(RuleRefusal) {
            for number in rule.ports { taken.append(try takePort(number, for: rule)) }
        } catch {
            for port in taken { leavePort(port, rule: rule.id) }
            throw error
        }
        var owner = -1
        if let name = rule.owner { owner = self.owner(named: name) }
        if owner >= 0 { owners[owner].pointee.services += 1 }
        let number = services.insert(Service(rule, ports: taken, owner: owner, now: now))
        serviceNumbers[rule.id] = number
        for port in taken where rule.serverName == nil { ports[port].pointee.plain = Int32(number) }
        scheduleProbes(number)
    }

    /// Stops listening for a rule, and drops it once its connections have ended, or after `drain` seconds.
    mutating func remove(_ id: RuleID, drain: Int) -> Bool {
        guard let number = serviceNumbers[id], !services[number].pointee.isLeaving else { return false }
        let service = services[number]
        service.pointee.isLeaving = true
        endProbes(of: number)
        for port in service.pointee.ports { leavePort(port, rule: id) }
        // Another rule may use the ID from now on; the report includes this one until its connections have ended.
        serviceNumbers[id] = nil
        if service.pointee.members == 0 { return forget(number) }
        if drain <= 0 {
            evict(number)
        } else {
            let token = Token(.service, number, services.generation(of: number))
            deadlines.add(token, at: now + .seconds(Int64(drain)))
        }
        return true
    }

    /// Ends all connections and flows of a rule.
    mutating func evict(_ number: Int) {
        let generation = services.generation(of: number)
        let token = Token(.service, number, generation)
        for index in 0..<connections.end where connections.contains(index) {
            if Int(connections[index].pointee.service) == number { drop(index, reset: true) }
        }
        if services.contains(token) { endFlows(ofService: number) }
    }

    /// Records that a connection or flow of the rule has ended.
    mutating func leave(_ number: Int) {
        let service = services[number]
        service.pointee.members -= 1
        if service.pointee.isLeaving && service.pointee.members == 0 { _ = forget(number) }
    }

    private mutating func forget(_ number: Int) -> Bool {
        let owner = Int(services[number].pointee.owner)
        services.remove(number)
        if owner >= 0 {
            owners[owner].pointee.services -= 1
            forgetOwner(owner)
        }
        return true
    }

    /// The owner's number; a new one if the owner is not known yet.
    mutating func owner(named name: String) -> Int {
        if let number = ownerNumbers[name] { return number }
        let number = owners.insert(Owner(name: name, allowance: Allowance(at: now)))
        ownerNumbers[name] = number
        return number
    }

    /// Removes an owner without rules, limits and a quota.
    mutating func forgetOwner(_ number: Int) {
        let owner = owners[number]
        guard owner.pointee.services == 0, owner.pointee.meter == nil,
            owner.pointee.allowance?.limit.isUnlimited != false
        else { return }
        ownerNumbers[owner.pointee.name] = nil
        owners.remove(number)
    }
}
