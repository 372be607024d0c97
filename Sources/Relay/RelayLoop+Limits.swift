import CLinux
import Glibc
import Packet
import Rules

extension RelayLoop {
    /// What a held-back connection waits for, in parts of a second's worth of the limit: often enough for an even flow, seldom enough
    /// to be cheap.
    private static let quantum = 50
    private static let smallestQuantum = 1460
    private static let largestQuantum = 1 << 18

    /// How long both sides of a connection have to part when a quota is used up.
    private static let parting = Interval.milliseconds(500)

    /// Whether the owner has nothing left to carry.
    mutating func isUsedUp(owner: Int) -> Bool {
        owner >= 0 && owners[owner].pointee.meter?.room(at: wallSeconds) == 0
    }

    /// Lets a connection or flow in, or counts why not.
    mutating func admit(_ transport: Transport, service: Int) -> Bool {
        let service = services[service]
        let owner = Int(service.pointee.owner)
        if owner >= 0 {
            return Allowance.admit(
                transport, rule: &service.pointee.allowance, owner: &owners[owner].pointee.allowance, at: now)
                == nil
        }
        var nobody: Allowance?
        return Allowance.admit(transport, rule: &service.pointee.allowance, owner: &nobody, at: now) == nil
    }

    /// A TCP connection or a UDP flow has ended.
    mutating func release(service: Int) {
        let service = services[service]
        service.pointee.allowance.release()
        if service.pointee.owner >= 0 { owners[Int(service.pointee.owner)].pointee.allowance?.release() }
    }

    /// How many bytes may pass now; as many as one likes when nothing is limited.
    mutating func room(_ way: Direction, service: Int) -> Int {
        let service = services[service]
        var room = Int.max
        if service.pointee.allowance.limits(way) { room = service.pointee.allowance.room(way, at: now) }
        guard service.pointee.owner >= 0 else { return room }
        let owner = owners[Int(service.pointee.owner)]
        if owner.pointee.allowance?.limits(way) == true {
            room = min(room, owner.pointee.allowance?.room(way, at: now) ?? .max)
        }
        return min(room, owner.pointee.meter?.room(at: wallSeconds) ?? .max)
    }

    /// Counts bytes that were taken from one side.
    mutating func take(_ count: Int, _ way: Direction, service: Int) {
        let service = services[service]
        service.pointee.allowance.take(count, way)
        guard service.pointee.owner >= 0 else { return }
        owners[Int(service.pointee.owner)].pointee.allowance?.take(count, way)
        consume(UInt64(count), owner: Int(service.pointee.owner))
    }

    /// Counts bytes against an owner's quota.
    mutating func consume(_ bytes: UInt64, owner number: Int) {
        let owner = owners[number]
        owner.pointee.bytes &+= bytes
        guard owner.pointee.meter != nil else { return }
        owner.pointee.meter?.consume(bytes, at: wallSeconds)
        noticeQuota(number)
    }

    /// Has the owner cut off when the quota is used up.
    mutating func noticeQuota(_ number: Int) {
        if isUsedUp(owner: number) && !usedUp.contains(number) { usedUp.append(number) }
    }

    /// Lets a datagram pass, or not.
    mutating func passes(_ bytes: Int, _ way: Direction, service: Int) -> Bool {
        let service = services[service]
        let number = Int(service.pointee.owner)
        guard number >= 0 else {
            var nobody: Allowance?
            return Allowance.passDatagram(
                bytes, way, rule: &service.pointee.allowance, owner: &nobody, at: now)
        }
        let owner = owners[number]
        guard !isUsedUp(owner: number),
            Allowance.passDatagram(
                bytes, way, rule: &service.pointee.allowance, owner: &owner.pointee.allowance, at: now)
        else { return false }
        consume(UInt64(bytes), owner: number)
        return true
    }

    /// Leaves a connection's direction alone until its limits let something through.
    mutating func park(_ passage: inout Connection.Passage, _ way: Direction, service: Int) {
        let service = services[service]
        let ofRule = Self.ready(&service.pointee.allowance, way, now)
        var ofOwner = Instant.zero
        if service.pointee.owner >= 0 {
            let owner = owners[Int(service.pointee.owner)]
            if owner.pointee.allowance != nil { ofOwner = Self.ready(&owner.pointee.allowance!, way, now) }
        }
        passage.isOwnersLimit = ofOwner > ofRule
        // One that others were faster than is still held back from when it first was.
        let hadItsTurn = passage.parkedUntil == .zero
        if hadItsTurn { passage.parkedFrom = now }
        // Nothing but the quota is in the way when that is not later than now; it ends the connection, or is given anew.
        // Who had its turn lets those go first that share the limit and did not.
        passage.parkedUntil =
            max(ofRule, ofOwner, now + .milliseconds(1)) + .milliseconds(hadItsTurn ? 2 : 0)
    }

    /// Counts how long a direction was held back, now that something came through.
    @inline(__always)
    mutating func unpark(_ passage: inout Connection.Passage, _ way: Direction, service: Int) {
        guard passage.parkedUntil != .zero else { return }
        let time = passage.parkedUntil - passage.parkedFrom
        if passage.isOwnersLimit {
            owners[Int(services[service].pointee.owner)].pointee.allowance?.countThrottled(time, way)
        } else {
            services[service].pointee.allowance.countThrottled(time, way)
        }
        passage.parkedUntil = .zero
    }

    private static func ready(_ allowance: inout Allowance, _ way: Direction, _ now: Instant) -> Instant {
        let rate = way == .inward ? allowance.limit.bytesIn : allowance.limit.bytesOut
        guard let rate else { return .zero }
        let wanted = Int(clamping: rate / UInt64(quantum))
        return allowance.ready(for: min(max(wanted, smallestQuantum), largestQuantum), way, at: now)
    }

    /// Ends what the owners have whose quota is used up: both sides are told that nothing more comes, and a moment later
    /// all is closed.
    mutating func cutOff() {
        guard !usedUp.isEmpty else { return }
        for owner in usedUp where owners.contains(owner) && isUsedUp(owner: owner) {
            for index in 0..<connections.end where connections.contains(index) {
                let service = Int(connections[index].pointee.service)
                if service >= 0 && Int(services[service].pointee.owner) == owner { end(index) }
            }
            endFlows(ofOwner: owner)
        }
        usedUp.removeAll(keepingCapacity: true)
    }

    /// Tells both sides that nothing more comes.
    private mutating func end(_ index: Int) {
        let connection = connections[index]
        if connection.pointee.state == .ending { return }
        guard connection.pointee.state == .open else { return drop(index, reset: true) }
        connection.pointee.state = .ending
        shutdown(connection.pointee.client, Int32(SHUT_WR))
        shutdown(connection.pointee.target, Int32(SHUT_WR))
        wake(index, at: now + Self.parting)
    }

    /// Looks again at connections that limits hold back.
    /// - Parameter service: whose; -1: of all of the owner's rules.
    mutating func unparkAll(service: Int, owner: Int = -1) {
        for index in 0..<connections.end where connections.contains(index) {
            let connection = connections[index]
            let number = Int(connection.pointee.service)
            guard connection.pointee.state == .open else { continue }
            guard service >= 0 ? number == service : Int(services[number].pointee.owner) == owner else {
                continue
            }
            if connection.pointee.inward.parkedUntil > now { connection.pointee.inward.parkedUntil = now }
            if connection.pointee.outward.parkedUntil > now { connection.pointee.outward.parkedUntil = now }
            enqueue(index)
        }
    }
}
