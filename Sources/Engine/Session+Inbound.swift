import Packet
import Proto
import Reorder
import Scheduler

// From an authentic datagram to the TUN device.
extension Session {
    /// Takes an authentic, fresh datagram of `size` bytes on the path at `index`: for the ACK, for the order, for the
    /// life of the path.
    mutating func note(
        _ header: Header, size: Int, on index: Int, from link: Link, _ resources: inout Resources,
        now: Instant
    ) {
        let path = paths[index]
        let isNewest = path.pointee.received.state.map { header.packetNumber > $0.highest } ?? true
        if !isNewest { path.pointee.lastReordered = now }
        let eliciting = header.kind == .data || header.flags & ControlFlags.wantsAck != 0
        path.pointee.received.record(
            header.packetNumber, bytes: size, eliciting: eliciting, now: now, rtt: path.pointee.rtt)
        path.pointee.counters.receivedBytes += UInt64(size)
        path.pointee.counters.receivedPackets += 1
        path.pointee.lastHeard = now
        lastHeard = now
        if header.kind == .data { path.pointee.lastDataHeard = now }
        let passed = header.kind == .data ? header.sequence &+ 1 : header.sequence
        let overtakes = header.kind == .data && header.flags & DataFlags.overtakes != 0
        if passed < 1 << 62 && !overtakes { path.pointee.passed = max(path.pointee.passed, passed) }
        // Only the newest datagram can say where the peer is now: an older one may have taken a detour.
        if !isClient && isNewest { follow(path, to: link, size: size, &resources) }
    }

    /// Server: a path's peer seems to be at a new address. It has to prove it.
    private func follow(
        _ path: UnsafeMutablePointer<Path>, to link: Link, size: Int, _ resources: inout Resources
    ) {
        if path.pointee.isValidated && path.pointee.link == link { return }
        if let challenge = path.pointee.challenge, challenge.link == link {
            path.pointee.allowance += size * 3
            return
        }
        path.pointee.challenge = Challenge(link: link, token: resources.entropy.next())
        path.pointee.allowance = size * 3
        if !path.pointee.isValidated { path.pointee.link = link }
    }

    /// Takes an inner packet that lies in `slot` behind its shim.
    mutating func deliver(
        _ slot: Slot, sequence: UInt64, _ shim: Shim, isRecovered: Bool, _ resources: inout Resources,
        now: Instant
    ) {
        noteCarried(resources.pool.length(of: slot), now: now)
        hasGrown = true
        let verdict = reorder.accept(
            slot, sequence: sequence, distance: shim.distance,
            trafficClass: TrafficClass(rawValue: shim.trafficClass) ?? .bulk, hold: hold, repair: repairHold,
            mayHold: allowance.mayKeep, now: now, pool: &resources.pool)
        if case .held = verdict { allowance.keep() }
        let needed = reorder.takeNeededHold()
        if needed > .zero { learn(needed, now: now) }
        switch verdict {
        case .delivered, .held: if isRecovered { counters.recovered += 1 }
        case .duplicate, .stale: resources.pool.release(slot)
        }
    }

    /// A packet came `needed` after the one that should have followed it. The delays that control datagrams show follow a
    /// queue that grows, as when the sender probes for more, only several times a second; this does at once.
    private mutating func learn(_ needed: Interval, now: Instant) {
        guard needed <= ReorderBuffer.longestHold else { return }
        let withMargin = needed * 5 / 4
        neededHold.record(withMargin.nanoseconds, now: now)
        hold = min(max(hold, withMargin), ReorderBuffer.longestHold)
    }

    /// Hands over what is in order by now, what is proven lost before it, and what has waited long enough.
    mutating func release(_ resources: inout Resources, now: Instant) {
        if reorder.held > 0 {
            reorder.prove(
                lostBelow: provenFloor(now: now), repair: repairHold, now: now, pool: &resources.pool)
            reorder.expire(now: now, pool: &resources.pool)
        }
        while let slot = reorder.popReady(pool: resources.pool) {
            if countsAsTest(slot, resources) {
                resources.pool.release(slot)
                continue
            }
            counters.deliveredPackets += 1
            if !resources.deliveries.append(slot, length: resources.pool.length(of: slot)) {
                resources.drops.noBuffer += 1
                resources.pool.release(slot)
            }
        }
    }

    /// The sequence that every path which may still bring data has passed; 0 when one of them proves nothing.
    private func provenFloor(now: Instant) -> UInt64 {
        var floor = UInt64.max
        for i in 0..<paths.count where paths[i].pointee.bringsData {
            floor = min(floor, paths[i].pointee.keepsOrder(now: now) ? paths[i].pointee.passed : 0)
        }
        return floor == .max ? 0 : floor
    }

    /// How long a packet waits for its predecessor: the spread of the paths' delays plus what they jitter, at least 5 ms.
    mutating func measureHold(now: Instant) {
        var slowest = Int64.min
        var fastest = Int64.max
        var jitter = Interval.zero
        for i in 0..<paths.count where paths[i].pointee.bringsData {
            let path = paths[i]
            guard path.pointee.inboundDelay.isKnown else { continue }
            let peak = path.pointee.inboundPeak.value ?? path.pointee.inboundDelay.smoothed.nanoseconds
            slowest = max(slowest, peak)
            fastest = min(fastest, path.pointee.inboundDelay.minimum.nanoseconds)
            jitter = max(jitter, path.pointee.inboundDelay.jitter)
        }
        guard slowest >= fastest else { return }
        let spread = Interval(nanoseconds: slowest - fastest)
        neededHold.record(0, now: now)
        repairHold = repairDelay(now: now)
        let measured = spread + max(.milliseconds(5), jitter * 2) + repairHold
        // Who waits for a repair waits 250 ms at most; who waits for a satellite, as long as that takes.
        let longest = min(max(.milliseconds(250), spread + .milliseconds(60)), ReorderBuffer.longestHold)
        hold = min(max(measured, Interval(nanoseconds: neededHold.value ?? 0)), longest)
    }
}

/// The header flags of control datagrams.
enum ControlFlags {
    /// The sender wants an ACK for the datagram.
    static let wantsAck: UInt8 = 1
}
