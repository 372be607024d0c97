import Packet
import Proto
import Scheduler

// Out of the queue, onto a path, sealed into the outbox.
extension Session {
    /// What waits before the paths is at most this long at the sum of their rates, for flows that heed no drop. CoDel keeps
    /// it far shorter for those that do.
    static var queueTime: Double { 0.15 }
    /// The most packets that wait before the paths.
    static var longestQueue: Int { 8192 }
    /// A packet that found no path for so long is dropped.
    static var longestWait: Interval { .seconds(2) }
    /// In `redundant`, a path that is further behind than this gets no copies until it has caught up.
    static var longestCopyBacklog: Double { 100e6 }

    /// Sends whatever may go now.
    /// - Returns: false when the outbox is full and there is more.
    mutating func transmit(into outbox: inout Outbox, _ resources: inout Resources, now: Instant) -> Bool {
        if queue.isEmpty && resend.isEmpty && !hasBacklog { return true }
        limitQueue(now: now)
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

    /// Puts a packet from the TUN device into its flow's queue.
    mutating func enqueue(_ slot: Slot, length: Int, _ resources: inout Resources, now: Instant) {
        queue.append(slot, length: length, now: now, notes: resources.notes)
        while queue.bytes > queueLimit || queue.count > Self.longestQueue {
            let dropped = queue.dropFromLongest(pool: &resources.pool, notes: resources.notes)
            resources.drops.queueFull += UInt64(dropped)
            if dropped == 0 { break }
        }
    }

    /// Follows the paths' rates and round trips with what may wait before them.
    private mutating func limitQueue(now: Instant) {
        var rate = 0.0
        var rtt = Interval.zero
        for i in 0..<paths.count where paths[i].pointee.carriesData {
            rate += paths[i].pointee.rate.plannedRate(paths[i].pointee.rtt)
            rtt = max(rtt, paths[i].pointee.rtt.smoothed)
        }
        let elapsed = min(now - limitedAt, .seconds(1))
        limitedAt = now
        copyBudget = min(copyBudget + Int(rate * Self.copyShare * elapsed.seconds), Self.largestCopyBudget)
        queueLimit = max(Int(rate * Self.queueTime), 256 * 1024)
        // A lone Cubic flow needs about half a round trip of queue to keep a link busy after each drop; others don't
        // wait behind it.
        queueLimits.target = min(max(rtt / 2, .milliseconds(5)), .milliseconds(40))
        queueLimits.interval = max(rtt * 2, .milliseconds(100))
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
                lane.urgent = path.pointee.urgent.bytes + path.pointee.urgent.count * Wire.overhead
                lane.backlog =
                    path.pointee.queue.bytes + path.pointee.queue.count * Wire.overhead + lane.urgent
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
        while repeatFirst(&resources, now: now) {}
        while true {
            let slot = queue.first(queueLimits, now: now, pool: &resources.pool, notes: resources.notes)
            guard slot != .none else { return }
            let length = resources.pool.length(of: slot)
            if now - resources.notes[slot].entered > Self.longestWait {
                resources.drops.expired += 1
                queue.removeFirst(length: length, notes: resources.notes)
                resources.pool.release(slot)
                continue
            }
            let isPlaced =
                mode == .redundant
                ? copyToAll(slot, length, &resources) : place(slot, length, &resources)
            guard isPlaced else { return }
        }
    }

    /// Sends again what waits for that first.
    /// - Returns: false when nothing waits or no path can take it.
    private mutating func repeatFirst(_ resources: inout Resources, now: Instant) -> Bool {
        let slot = resend.first
        guard slot != .none else { return false }
        let length = resources.pool.length(of: slot)
        let note = resources.notes[slot]
        guard !note.isAcknowledged && now - note.entered <= Self.longestWait else {
            if !note.isAcknowledged { resources.drops.expired += 1 }
            resend.removeFirst(length: length)
            resources.pool.release(slot)
            return true
        }
        guard let chosen = lanes.soonest(length), giveUrgent(slot, length, to: chosen) else { return false }
        resend.removeFirst(length: length)
        counters.resent += 1
        // What was lost twice goes by two ways.
        if note.repairs > 1, let second = lanes.soonest(length, but: chosen),
            giveUrgent(slot, length, to: second)
        {
            resources.pool.retain(slot)
        }
        return true
    }

    /// Gives the packet whose turn it is to the path that the mode wants.
    private mutating func place(_ slot: Slot, _ length: Int, _ resources: inout Resources) -> Bool {
        // What flows send that send little goes before what others have waiting: a ping does not meet the bulk.
        var chosen = mode == .preferred ? lanes.best() : lanes.soonest(length)
        let isSparse = queue.isFirstSparse && chosen.map { lanes[$0].hasUrgentRoom } ?? false
        if !isSparse { chosen = mode == .preferred ? lanes.preferred(length) : lanes.earliest(length) }
        guard let chosen else { return false }
        let isInteractive = mode == .auto && isSparse && wantsCopy(slot, length, resources)
        if isSparse {
            guard giveUrgent(slot, length, to: chosen) else { return false }
        } else {
            guard paths[chosen].pointee.queue.append(slot, length: length) else { return false }
            lanes[chosen].backlog += length + Wire.overhead
        }
        if mode == .preferred { preferredPath = chosen }
        queue.removeFirst(length: length, notes: resources.notes)
        number(slot, &resources)
        if isInteractive, let second = lanes.soonest(length, but: chosen),
            giveUrgent(slot, length, to: second)
        {
            resources.pool.retain(slot)
            copyBudget -= length + Wire.overhead
            counters.copied += 1
        }
        return true
    }

    private mutating func giveUrgent(_ slot: Slot, _ length: Int, to index: Int) -> Bool {
        guard paths[index].pointee.urgent.append(slot, length: length) else { return false }
        lanes[index].backlog += length + Wire.overhead
        lanes[index].urgent += length + Wire.overhead
        return true
    }

    /// `redundant`: a share for every path that is not too far behind.
    private mutating func copyToAll(_ slot: Slot, _ length: Int, _ resources: inout Resources) -> Bool {
        var isWanted = false
        for i in 0..<paths.count where lanes[i].isUsable {
            isWanted = isWanted || Double(lanes[i].backlog) * lanes[i].cost < 5e6
        }
        guard isWanted else { return false }
        queue.removeFirst(length: length, notes: resources.notes)
        number(slot, &resources)
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
            let isUrgent = !path.pointee.urgent.isEmpty
            let slot = isUrgent ? path.pointee.urgent.first : path.pointee.queue.first
            if slot == .none {
                // What waits for a better path is no lack of data: a path must not stay small for having seemed small.
                if queue.isEmpty && resend.isEmpty { path.pointee.starvedAt = now }
                break
            }
            if path.pointee.sent.bytesInFlight > limit { break }
            let length = resources.pool.length(of: slot)
            if resources.notes[slot].isAcknowledged {
                // A copy arrived by another path already.
                path.pointee.removeFirst(isUrgent: isUrgent, length: length)
                resources.pool.release(slot)
                continue
            }
            guard let room = outbox.reserve(Wire.overhead + length) else { return .full }
            path.pointee.removeFirst(isUrgent: isUrgent, length: length)
            // What overtakes the queue proves nothing about what waits there.
            let flags = isUrgent && !path.pointee.queue.isEmpty ? DataFlags.overtakes : 0
            let size = seal(slot, flags, on: path, into: room, resources)
            outbox.commit(size, to: link)
            path.pointee.pacer.book(size + RateModel.datagramOverhead, rate: pace, now: now)
            path.pointee.bookSent(size, now: now)
            repairBudget = min(repairBudget + size / 10, Self.largestRepairBudget)
            lastData = now
            path.pointee.lastData = now
            path.pointee.tailProbes = 0
            hasGrown = true
            var kept = slot
            if !resources.mayRetain {
                resources.pool.release(slot)
                kept = .none
            }
            path.pointee.sent.append(
                slot: kept, size: size, eliciting: true, starved: path.pointee.isStarved(now: now), now: now,
                pool: &resources.pool)
            if path.pointee.sent.bytesInFlight > Path.idleFlight { path.pointee.busyAt = now }
            result = .sent
        }
        return result
    }

    private func seal(
        _ slot: Slot, _ flags: UInt8, on path: UnsafeMutablePointer<Path>,
        into room: UnsafeMutableRawBufferPointer,
        _ resources: borrowing Resources
    ) -> Int {
        let packetNumber = path.pointee.sent.next
        Header(
            kind: .data, flags: flags, sessionID: epoch.pointee.remoteID,
            sequence: resources.notes[slot].sequence,
            pathID: path.pointee.id, packetNumber: packetNumber
        ).write(to: room)
        let plaintext = resources.pool.packet(in: slot, withPrefix: Wire.shimSize)
        let sealed = epoch.pointee.keys.sending.seal(
            UnsafeRawBufferPointer(plaintext), into: room.dropping(Wire.headerSize),
            header: UnsafeRawBufferPointer(room.slice(0, Wire.headerSize)), pathID: path.pointee.id,
            packetNumber: packetNumber)
        return Wire.headerSize + sealed
    }

    /// Whether a path has something to send.
    private var hasBacklog: Bool {
        for i in 0..<paths.count where paths[i].pointee.hasBacklog { return true }
        return false
    }

    /// When `transmit` has something to do again without anything arriving; `.never` when nothing waits.
    func nextTransmission(now: Instant) -> Instant {
        var next = Instant.never
        for i in 0..<paths.count {
            let path = paths[i]
            guard path.pointee.carriesData, path.pointee.hasBacklog else { continue }
            // A full window opens with an ACK, not with time.
            if path.pointee.sent.bytesInFlight > path.pointee.rate.inflightLimit(path.pointee.rtt) {
                continue
            }
            next = min(next, max(path.pointee.pacer.readyAt, now) + Pacer.quantum)
        }
        return next
    }
}

/// The header flags of data datagrams.
enum DataFlags {
    /// The datagram has overtaken others of its path: lower sequences may still come.
    static let overtakes: UInt8 = 1
}

extension Path {
    /// With more than this in flight a path is not idle.
    fileprivate static var idleFlight: Int { 12_000 }

    /// Whether it had nothing to send within the last round trip.
    func isStarved(now: Instant) -> Bool {
        !hasBacklog && now - busyAt > rtt.smoothed || now - starvedAt < max(rtt.smoothed, .milliseconds(20))
    }

    /// Whether there is something to send.
    var hasBacklog: Bool { !queue.isEmpty || !urgent.isEmpty }

    fileprivate mutating func removeFirst(isUrgent: Bool, length: Int) {
        if isUrgent { urgent.removeFirst(length: length) } else { queue.removeFirst(length: length) }
    }

    /// Counts a datagram that leaves now.
    mutating func bookSent(_ size: Int, now: Instant) {
        lastSent = now
        counters.sentBytes += UInt64(size)
        counters.sentPackets += 1
    }
}
