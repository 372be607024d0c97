import Packet
import Proto
import Reorder
import Scheduler

// From an authentic datagram to the TUN device.
extension Session {
    /// Records an authentic, fresh datagram of `size` bytes on the path at `index`: for the ACK, for
    /// reordering, and for liveness.
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
        // Only the newest datagram can show where the peer is now: an older one may have taken a detour.
        if !isClient && isNewest { follow(path, to: link, size: size, &resources) }
    }

    /// Server: a path's peer seems to be at a new address and has to prove it.
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

    /// Keeps a copy of a packet that arrived, for the sums that include it.
    mutating func remember(_ slot: Slot, sequence: UInt64, _ resources: inout Resources, now: Instant) {
        let hasKept = correction.remember(
            slot, sequence: sequence, mayGrow: allowance.mayKeep, pool: &resources.pool, now: now)
        if hasKept { allowance.keep() }
    }

    /// Takes an inner packet that lies in `slot` behind its shim.
    mutating func deliver(
        _ slot: Slot, sequence: UInt64, _ shim: Shim, isRecovered: Bool, _ resources: inout Resources,
        now: Instant
    ) {
        noteCarried(resources.pool.length(of: slot), now: now)
        hasGrown = true
        let verdict = delivery.accept(
            slot, sequence: sequence, shim,
            mayHold: allowance.mayKeep, now: now, pool: &resources.pool)
        if case .held = verdict { allowance.keep() }
        switch verdict {
        case .delivered, .held: if isRecovered { counters.recovered += 1 }
        case .duplicate, .stale: resources.pool.release(slot)
        }
    }

    /// Delivers packets that are now in order, whose predecessors are proven lost, or that have waited long
    /// enough.
    mutating func release(_ resources: inout Resources, now: Instant) {
        delivery.advance(paths, now: now, pool: &resources.pool)
        while let slot = delivery.popReady(pool: resources.pool) {
            if countsAsTest(slot, resources) {
                resources.pool.release(slot)
                continue
            }
            guard isWithinRate(resources.pool.length(of: slot), now: now) else {
                resources.drops.overRate += 1
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
}

/// The header flags of control datagrams.
enum ControlFlags {
    /// The datagram requires an ACK.
    static let wantsAck: UInt8 = 1
}
