import Packet
import Proto
import Scheduler

// Out of the queue, onto a path, sealed into the outbox.
extension Session {
    /// What waits before the paths is at most this long at the sum of their rates, so that the delay is ours to bound.
    static var queueTime: Double { 0.06 }
    /// A packet that found no path for so long is dropped.
    static var longestWait: Interval { .seconds(1) }
    /// In `redundant`, a path that is further behind than this gets no copies until it has caught up.
    static var longestCopyBacklog: Double { 100e6 }

    /// Sends whatever may go now.
    /// - Returns: false when the outbox is full and there is more.
    mutating func transmit(into outbox: inout Outbox, _ resources: inout Resources, now: Instant) -> Bool {
        refreshLanes(now: now)
        while true {
            distribute(&resources, now: now)
            var progress = false
            for i in 0..<paths.count {
                switch emit(from: i, into: &outbox, &resources, now: now) {
                case .full: return false
                case .sent: progress = true
                case .idle: break
                }
            }
            if !progress { return true }
        }
    }

    /// The most bytes that may wait before the paths.
    var queueLimit: Int {
        var rate = 0.0
        for i in 0..<paths.count where paths[i].pointee.carriesData {
            rate += paths[i].pointee.rate.plannedRate(paths[i].pointee.rtt)
        }
        return max(Int(rate * Self.queueTime), 256 * 1024)
    }

    // MARK: - The choice

    /// Writes down what the choice needs to know of each path.
    private mutating func refreshLanes(now: Instant) {
        let rank = bestRank()
        var allDelaysKnown = true
        for i in 0..<paths.count where paths[i].pointee.carriesData && !paths[i].pointee.delay.isKnown {
            allDelaysKnown = false
        }
        lanes.removeAll()
        for i in 0..<paths.count {
            let path = paths[i]
            var lane = Lanes.Lane()
            // A path whose window is full takes nothing until an ACK opens it, and holds nobody else up.
            lane.isUsable =
                path.pointee.carriesData && path.pointee.role.rawValue == rank
                && path.pointee.sent.bytesInFlight
                    <= path.pointee.rate.inflightLimit(path.pointee.rtt)
            if lane.isUsable {
                let rtt = path.pointee.rtt
                let delay = path.pointee.delay
                lane.cost = 1e9 / path.pointee.rate.offeredRate(rtt)
                // Without a one-way delay for each of them, half the round trip must do.
                let oneWay = allDelaysKnown ? delay.expected(now: now) : rtt.smoothed / 2
                lane.delay = Double((oneWay + delay.jitter / 2).nanoseconds)
                lane.wait = Double(path.pointee.pacer.wait(now).nanoseconds)
                lane.backlog = path.pointee.queue.bytes + path.pointee.queue.count * Wire.overhead
                lane.score =
                    Double(rtt.smoothed.nanoseconds) * (1 + 10 * path.pointee.lossRatio)
                    * (i == preferredPath ? 0.85 : 1)
            }
            lanes[i] = lane
        }
        lanes.align()
    }

    /// The best role among the paths that are up: primary, else backup, else metered.
    private func bestRank() -> UInt8 {
        var rank = PathRole.never.rawValue
        for i in 0..<paths.count where paths[i].pointee.carriesData {
            rank = min(rank, paths[i].pointee.role.rawValue)
        }
        return rank
    }

    /// Gives waiting packets to paths as long as a path wants more.
    private mutating func distribute(_ resources: inout Resources, now: Instant) {
        while true {
            let again = !resend.isEmpty
            let slot = again ? resend.first : queue.first
            guard slot != .none else { return }
            let length = resources.pool.length(of: slot)
            let note = resources.notes[slot]
            if now - note.entered > Self.longestWait || (again && note.isAcknowledged) {
                if !note.isAcknowledged { resources.drops.expired += 1 }
                take(again, length)
                resources.pool.release(slot)
                continue
            }
            if mode == .redundant {
                guard copyToAll(slot, length, again, &resources) else { return }
                continue
            }
            let chosen = mode == .preferred ? lanes.preferred(length) : lanes.earliest(length)
            guard let chosen else { return }
            let path = paths[chosen]
            guard path.pointee.queue.append(slot, length: length) else { return }
            if mode == .preferred { preferredPath = chosen }
            take(again, length)
            if !again { number(slot, &resources) }
            lanes[chosen].backlog += length + Wire.overhead
        }
    }

    /// `redundant`: a share for every path that is not too far behind.
    private mutating func copyToAll(
        _ slot: Slot, _ length: Int, _ again: Bool, _ resources: inout Resources
    ) -> Bool {
        var isWanted = false
        for i in 0..<paths.count where lanes[i].isUsable {
            isWanted = isWanted || Double(lanes[i].backlog) * lanes[i].cost < 5e6
        }
        guard isWanted else { return false }
        take(again, length)
        if !again { number(slot, &resources) }
        for i in 0..<paths.count where lanes[i].isUsable {
            guard Double(lanes[i].backlog) * lanes[i].cost < Self.longestCopyBacklog else { continue }
            let path = paths[i]
            if path.pointee.queue.append(slot, length: length) {
                resources.pool.retain(slot)
                lanes[i].backlog += length + Wire.overhead
            }
        }
        resources.pool.release(slot)
        return true
    }

    private mutating func take(_ again: Bool, _ length: Int) {
        if again {
            resend.removeFirst(length: length)
            counters.resent += 1
        } else {
            queue.removeFirst(length: length)
        }
    }

    /// Gives the packet its sequence, and its shim the distance to its flow's last packet.
    private mutating func number(_ slot: Slot, _ resources: inout Resources) {
        var note = resources.notes[slot]
        note.sequence = nextSequence
        resources.notes[slot] = note
        let distance = flows.advance(flow: note.flow, to: nextSequence)
        nextSequence += 1
        counters.sentPackets += 1
        let flags = note.hasPartialChecksum ? Shim.partialChecksum : 0
        Shim(distance: distance, trafficClass: note.trafficClass.rawValue, flags: flags)
            .write(to: resources.pool.packet(in: slot, withPrefix: Wire.shimSize))
    }

    // MARK: - Onto the wire

    private enum Emission {
        case sent
        case idle
        case full
    }

    /// Seals what the path has to send and may send now.
    private mutating func emit(
        from index: Int, into outbox: inout Outbox, _ resources: inout Resources, now: Instant
    ) -> Emission {
        let path = paths[index]
        guard path.pointee.carriesData, let link = path.pointee.link else { return .idle }
        let limit = path.pointee.rate.inflightLimit(path.pointee.rtt)
        let pace = path.pointee.rate.pacingRate(path.pointee.rtt)
        var result = Emission.idle
        while path.pointee.pacer.allows(now) {
            let slot = path.pointee.queue.first
            if slot == .none {
                // What waits for a better path is no lack of data: a path must not stay small for having seemed small.
                if queue.isEmpty && resend.isEmpty { path.pointee.starvedAt = now }
                break
            }
            if path.pointee.sent.bytesInFlight > limit { break }
            let length = resources.pool.length(of: slot)
            if resources.notes[slot].isAcknowledged {
                // A copy arrived by another path already.
                path.pointee.queue.removeFirst(length: length)
                resources.pool.release(slot)
                continue
            }
            guard let room = outbox.reserve(Wire.overhead + length) else { return .full }
            path.pointee.queue.removeFirst(length: length)
            let size = seal(slot, on: path, into: room, resources)
            outbox.commit(size, to: link)
            path.pointee.pacer.book(size + RateModel.datagramOverhead, rate: pace, now: now)
            path.pointee.bookSent(size, now: now)
            lastData = now
            let span = max(path.pointee.rtt.smoothed, .milliseconds(20))
            var kept = slot
            if !resources.mayRetain {
                resources.pool.release(slot)
                kept = .none
            }
            path.pointee.sent.append(
                slot: kept, size: size, eliciting: true, starved: now - path.pointee.starvedAt < span,
                now: now,
                pool: &resources.pool)
            result = .sent
        }
        return result
    }

    private func seal(
        _ slot: Slot, on path: UnsafeMutablePointer<Path>, into room: UnsafeMutableRawBufferPointer,
        _ resources: borrowing Resources
    ) -> Int {
        let packetNumber = path.pointee.sent.next
        Header(
            kind: .data, sessionID: epoch.pointee.remoteID, sequence: resources.notes[slot].sequence,
            pathID: path.pointee.id, packetNumber: packetNumber
        ).write(to: room)
        let plaintext = resources.pool.packet(in: slot, withPrefix: Wire.shimSize)
        let sealed = epoch.pointee.keys.sending.seal(
            UnsafeRawBufferPointer(plaintext), into: room.dropping(Wire.headerSize),
            header: UnsafeRawBufferPointer(room.slice(0, Wire.headerSize)), pathID: path.pointee.id,
            packetNumber: packetNumber)
        return Wire.headerSize + sealed
    }

    /// When `transmit` has something to do again without anything arriving; `.never` when nothing waits.
    func nextTransmission(now: Instant) -> Instant {
        var next = Instant.never
        for i in 0..<paths.count {
            let path = paths[i]
            guard path.pointee.carriesData, !path.pointee.queue.isEmpty else { continue }
            // A full window opens with an ACK, not with time.
            if path.pointee.sent.bytesInFlight > path.pointee.rate.inflightLimit(path.pointee.rtt) {
                continue
            }
            next = min(next, max(path.pointee.pacer.readyAt, now) + Pacer.quantum)
        }
        return next
    }
}

extension Path {
    /// Counts a datagram that leaves now.
    mutating func bookSent(_ size: Int, now: Instant) {
        lastSent = now
        counters.sentBytes += UInt64(size)
        counters.sentPackets += 1
    }
}
