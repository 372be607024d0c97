import Packet
import Proto
import Scheduler

// Choosing the path for the packet whose turn it is.
extension Session {
    /// Updates the lanes, on which the choice is based.
    mutating func refreshLanes(now: Instant) {
        let measured = measuredPath(now: now)
        let isOverflowing = sendQueue.isOverflowing
        lanes.removeAll()
        for i in 0..<paths.count {
            let path = paths[i]
            let use = path.pointee.use
            var lane = Lanes.Lane()
            if path.pointee.carriesData && (use == .active || use == .far || measured == i) {
                // A path whose window is full takes nothing until it opens, and does not hold up the others.
                lane.isUsable = (measured ?? i) == i && !path.pointee.isWindowFull
                lane.isLeftOut = use == .far && measured == nil && !isOverflowing
                lane.cost = 1e9 / path.pointee.rate.offeredRate(path.pointee.rtt)
                lane.delay = Double((path.pointee.transit ?? path.pointee.rtt.smoothed / 2).nanoseconds)
                // Where losses are repaired late, each one holds up all paths of a flow that is spread.
                if use == .active, let floor = path.pointee.shortestTransit,
                    !ForwardCorrection.isNeeded(on: i, of: paths, now: now)
                {
                    lane.floor = Double(floor.nanoseconds)
                    lane.roundTrip = Double(path.pointee.rtt.minimum.nanoseconds)
                }
                lane.wait = Double(path.pointee.pacer.wait(now).nanoseconds)
                lane.urgent = path.pointee.urgent.bytes + path.pointee.urgent.count * Wire.overhead
                lane.backlog =
                    path.pointee.queue.bytes + path.pointee.queue.count * Wire.overhead + lane.urgent
                lane.limit = path.pointee.mtu.limit(now: now) - Wire.overhead
            }
            lanes[i] = lane
        }
        lanes.align()
        ratePaths(now: now)
    }

    /// Assigns waiting packets to paths while a path wants more.
    mutating func distribute(_ resources: inout Resources, now: Instant) {
        while repeatFirst(&resources, now: now) {}
        var postponed = 0
        while true {
            let slot = sendQueue.first(now: now, pool: &resources.pool, notes: resources.notes)
            guard slot != .none else { return }
            let length = resources.pool.length(of: slot)
            if now - resources.notes[slot].entered > Self.longestWait {
                resources.drops.expired += 1
                sendQueue.removeFirst(
                    length: length, wasSent: false, now: now, notes: resources.notes)
                resources.pool.release(slot)
                continue
            }
            if refusesAsTooBig(slot, length, &resources, now: now) {
                sendQueue.removeFirst(
                    length: length, wasSent: false, now: now, notes: resources.notes)
                resources.pool.release(slot)
                continue
            }
            let isPlaced =
                mode == .redundant
                ? copy(slot, length, &resources, now: now) : place(slot, length, &resources, now: now)
            guard !isPlaced else { continue }
            // A packet too large for some path waits for the others; flows behind it need not.
            guard lanes.isAnyTooNarrow(for: length), postponed < Self.mostPostponed else { return }
            postponed += 1
            sendQueue.postponeFirst()
        }
    }

    /// Maximum number of flows skipped per turn because their next packet is too large for some path.
    private static var mostPostponed: Int { 16 }

    /// Retransmits the first packet in `resend`.
    /// - Returns: false if none waits or no path can take it.
    private mutating func repeatFirst(_ resources: inout Resources, now: Instant) -> Bool {
        let slot = sendQueue.firstAgain
        guard slot != .none else { return false }
        let length = resources.pool.length(of: slot)
        let note = resources.notes[slot]
        if refusesAsTooBig(slot, length, &resources, now: now) {
            sendQueue.removeFirstAgain(length: length, wasSent: false, notes: resources.notes)
            resources.pool.release(slot)
            return true
        }
        guard !note.isAcknowledged && now - note.entered <= Self.longestWait else {
            if !note.isAcknowledged { resources.drops.expired += 1 }
            sendQueue.removeFirstAgain(length: length, wasSent: false, notes: resources.notes)
            resources.pool.release(slot)
            return true
        }
        guard let chosen = lanes.repairing(length, of: sendQueue.bytesAgain),
            giveUrgent(slot, length, to: chosen)
        else { return false }
        sendQueue.removeFirstAgain(length: length, wasSent: true, notes: resources.notes)
        counters.resent += 1
        // A packet lost twice is sent on two paths.
        if note.repairs > 1, let second = lanes.soonest(length, but: chosen),
            giveUrgent(slot, length, to: second)
        {
            resources.pool.retain(slot)
        }
        return true
    }

    /// Assigns the packet whose turn it is to the path that the mode selects.
    private mutating func place(
        _ slot: Slot, _ length: Int, _ resources: inout Resources, now: Instant
    ) -> Bool {
        let note = resources.notes[slot]
        var flow = flows[spreadOf: note.flow]
        // Packets of sparse flows leave before others' backlog, so that a ping does not queue behind bulk
        // traffic.
        var chosen = mode == .preferred ? lanes.best(length) : lanes.soonest(length)
        let hasRoom = chosen.map { lanes[$0].hasUrgentRoom } ?? false
        let isSparse = hasRoom && sendQueue.isFirstSparse
        // In `throughput`, bulk flows build a backlog as long as the farthest path's delay; no other waits behind it.
        let isUrgent = isSparse || hasRoom && mode == .throughput && !flow.isBulk
        if !isUrgent {
            chosen =
                mode == .preferred
                ? lanes.preferred(length)
                : spread(length, &flow, isScalable: note.trafficClass == .scalable, now: now)
        }
        guard let chosen else { return false }
        let lead = mode == .preferred ? .zero : flow.lead(now: now)
        let surplus =
            lead > .zero
            ? lanes.surplus(of: length, on: chosen, isUrgent: isUrgent, lead: Double(lead.nanoseconds)) : 0
        let isInteractive =
            (mode == .auto || mode == .throughput) && isSparse
            && sendQueue.wantsCopy(length: length, trafficClass: note.trafficClass)
        if isUrgent {
            guard giveUrgent(slot, length, to: chosen) else { return false }
        } else {
            guard paths[chosen].pointee.queue.append(slot, length: length) else { return false }
            lanes[chosen].backlog += length + Wire.overhead
        }
        sendQueue.removeFirst(length: length, wasSent: true, now: now, notes: resources.notes)
        flow.send(length, now: now)
        flows[spreadOf: note.flow] = flow
        number(slot, lead: lead, surplus: surplus, &resources)
        if isInteractive, let second = lanes.soonest(length, but: chosen),
            giveUrgent(slot, length, to: second)
        {
            resources.pool.retain(slot)
            sendQueue.payForCopy(length + Wire.overhead)
            counters.copied += 1
            protect(slot, length, on: nil, isInteractive: isSparse, &resources, now: now)
        } else {
            protect(slot, length, on: chosen, isInteractive: isSparse, &resources, now: now)
        }
        return true
    }

    /// The path for a packet that waits its turn. A bulk flow takes the next path as soon as the nearest one is
    /// busy; others, and bulk flows on paths too far for that, wait until the farther path delivers first. A
    /// scalable sender hears of a queue before it spans such a time.
    private func spread(
        _ length: Int, _ flow: inout FlowSpread, isScalable: Bool, now: Instant
    ) -> Int? {
        guard isScalable || flow.isBulk else { return lanes.earliest(length) }
        let roundTrip = Interval(nanoseconds: Int64(saturating: lanes.roundTrip))
        let reach = Double(flow.reach(roundTrip: roundTrip, isScalable: isScalable, now: now).nanoseconds)
        var chosen = lanes.spread(length, within: reach)
        if chosen == nil && !isScalable { chosen = lanes.earliest(length) }
        if let chosen, case let lead = lanes.lead(of: chosen), lead > 0 && lead <= reach {
            flow.use(Interval(nanoseconds: Int64(saturating: lead)), now: now)
        }
        return chosen
    }

    mutating func giveUrgent(_ slot: Slot, _ length: Int, to index: Int) -> Bool {
        guard paths[index].pointee.urgent.append(slot, length: length) else { return false }
        lanes[index].backlog += length + Wire.overhead
        lanes[index].urgent += length + Wire.overhead
        return true
    }

    /// `redundant`: a copy for every path, or for the best few.
    private mutating func copy(
        _ slot: Slot, _ length: Int, _ resources: inout Resources, now: Instant
    ) -> Bool {
        let chosen = lanes.copies(length, limit: redundantPaths)
        guard chosen != 0 else { return false }
        sendQueue.removeFirst(length: length, wasSent: true, now: now, notes: resources.notes)
        number(slot, &resources)
        for i in 0..<paths.count where chosen >> i & 1 == 1 {
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
    /// - Parameters:
    ///   - lead: see `FlowSpread`.
    ///   - surplus: nanoseconds by which the packet would arrive before its flow's constant delay.
    private mutating func number(
        _ slot: Slot, lead: Interval = .zero, surplus: Double = 0, _ resources: inout Resources
    ) {
        var note = resources.notes[slot]
        note.sequence = nextSequence
        resources.notes[slot] = note
        let distance = flows.advance(flow: note.flow, to: nextSequence)
        nextSequence += 1
        counters.sentPackets += 1
        let flags = (note.hasPartialChecksum ? Shim.partialChecksum : 0) | (note.isTest ? Shim.test : 0)
        // A scalable sender tolerates brief reordering, but not that of two paths far apart.
        let isSpread = lead > .zero && note.trafficClass == .scalable
        let trafficClass = isSpread ? .bulk : note.trafficClass
        var shim = Shim(distance: distance, trafficClass: trafficClass.rawValue, flags: flags)
        if surplus > 0 { shim.wait = Interval(nanoseconds: Int64(saturating: surplus)) }
        shim.write(to: resources.pool.packet(in: slot, withPrefix: Wire.shimSize))
    }

    /// Adds a packet that has just been given its sequence to the sums, and sends one of these when it is time.
    /// - Parameter index: the path that the packet goes on; nil when it goes on two and needs no more.
    private mutating func protect(
        _ slot: Slot, _ length: Int, on index: Int?, isInteractive: Bool, _ resources: inout Resources,
        now: Instant
    ) {
        let isDue = correction.protect(
            slot, length, on: index, of: paths, isInteractive: isInteractive, pool: &resources.pool,
            notes: resources.notes, now: now)
        if isDue { sendRepairSymbol(&resources, now: now) }
    }

    /// Gives a repair symbol to the path that brings it soonest.
    mutating func sendRepairSymbol(_ resources: inout Resources, now: Instant) {
        guard
            let symbol = correction.takeSymbol(
                before: nextSequence, pool: &resources.pool, notes: resources.notes, now: now)
        else { return }
        if let path = lanes.soonest(symbol.length + Wire.repairHeadSize),
            giveUrgent(symbol.slot, symbol.length, to: path)
        {
            counters.repairSymbols += 1
        } else {
            resources.pool.release(symbol.slot)
        }
    }
}
