import Glibc
import Packet
import Rules

extension RelayLoop {
    /// A connection that is held back waits for this fraction of a second's worth of the limit: often enough
    /// for an even rate, rarely enough to be cheap.
    private static let quantum = 50
    private static let smallestQuantum = 1460
    private static let largestQuantum = 1 << 18

    /// Time for both sides of a connection to close after a quota is exhausted.
    private static let parting = Interval.milliseconds(500)

    /// Whether the owner's quota is exhausted.
    mutating func isUsedUp(owner: Int) -> Bool {
        owner >= 0 && owners[owner].pointee.meter?.room(at: wallSeconds) == 0
    }

    /// Admits a connection or flow, or counts the reason for rejecting it.
    mutating func admit(_ transport: TransportProtocol, service: Int) -> Bool {
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

    /// Records the end of a TCP connection or UDP flow.
    mutating func release(service: Int) {
        let service = services[service]
        service.pointee.allowance.release()
        if service.pointee.owner >= 0 { owners[Int(service.pointee.owner)].pointee.allowance?.release() }
    }

    /// The number of bytes that may pass now; the maximum if unlimited.
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

    /// Counts bytes read from one side.
    mutating func take(_ count: Int, _ way: Direction, service: Int) {
        let service = services[service]
        service.pointee.allowance.take(count, way)
        guard service.pointee.owner >= 0 else { return }
        owners[Int(service.pointee.owner)].pointee.allowance?.take(count, way)
        consume(UInt64(count), owner: Int(service.pointee.owner))
    }

    /// Charges bytes to an owner's quota.
    mutating func consume(_ bytes: UInt64, owner number: Int) {
        let owner = owners[number]
        owner.pointee.bytes &+= bytes
        guard owner.pointee.meter != nil else { return }
        owner.pointee.meter?.consume(bytes, at: wallSeconds)
        noticeQuota(number)
    }

    /// Schedules cutting the owner off if the quota is exhausted.
    mutating func noticeQuota(_ number: Int) {
        if isUsedUp(owner: number) && !usedUp.contains(number) { usedUp.append(number) }
    }

    /// Whether the limits let a datagram pass.
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

    /// Pauses one direction of a connection until its limits allow more.
    mutating func park(_ passage: inout Connection.Passage, _ way: Direction, service: Int) {
        let service = services[service]
        let ofRule = Self.ready(&service.pointee.allowance, way, now)
        var ofOwner = Instant.zero
        if service.pointee.owner >= 0 {
            let owner = owners[Int(service.pointee.owner)]
            if owner.pointee.allowance != nil { ofOwner = Self.ready(&owner.pointee.allowance!, way, now) }
        }
        passage.isOwnersLimit = ofOwner > ofRule
        // A connection that lost the race against others is still considered held back since its first pause.
        let hadItsTurn = passage.parkedUntil == .zero
        if hadItsTurn { passage.parkedFrom = now }
        // If the time is not later than now, only the quota blocks it, which will end the connection or be
        // renewed. A connection that had its turn lets those go first that share the limit and did not.
        passage.parkedUntil =
            max(ofRule, ofOwner, now + .milliseconds(1)) + .milliseconds(hadItsTurn ? 2 : 0)
    }

    /// Counts how long a direction was held back, now that it has made progress.
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

    /// Cuts off owners whose quota is exhausted: both sides of each connection receive an end of stream, and
    /// all is closed a moment later.
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

    /// Sends both sides an end of stream.
    private mutating func end(_ index: Int) {
        let connection = connections[index]
        if connection.pointee.state == .ending { return }
        guard connection.pointee.state == .open else { return drop(index, reset: true) }
        connection.pointee.state = .ending
        shutdown(connection.pointee.client, Int32(SHUT_WR))
        shutdown(connection.pointee.target, Int32(SHUT_WR))
        wake(index, at: now + Self.parting)
    }

    /// Retries connections held back by limits.
    /// - Parameter service: the rule; -1 means all rules of the owner.
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
