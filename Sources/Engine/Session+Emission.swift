import Packet
import Proto
import Scheduler

// From a path's queue onto the wire: paced, sealed into the outbox, recorded.
extension Session {
    enum Emission {
        case sent
        case idle
        case full
    }

    /// Seals the datagrams that the path has to send and may send now.
    mutating func emit(
        from index: Int, within budget: inout Int, into outbox: inout Outbox, _ resources: inout Resources,
        now: Instant
    ) -> Emission {
        let path = paths[index]
        guard path.pointee.carriesData, let link = path.pointee.link else { return .idle }
        let limit = path.pointee.rate.inflightLimit(path.pointee.rtt)
        let pace = path.pointee.rate.pacingRate(path.pointee.rtt)
        var result = Emission.idle
        while budget > 0 && path.pointee.pacer.allows(now) {
            let isUrgent = path.pointee.servesUrgent
            let slot = isUrgent ? path.pointee.urgent.first : path.pointee.queue.first
            if slot == .none {
                // Packets that wait for a better path are not a lack of data: a path must not stay slow
                // because it seemed slow. Those that wait for a throttle's time are one.
                if sendQueue.isIdle(now: now) { path.pointee.starvedAt = now }
                break
            }
            if path.pointee.sent.bytesInFlight > limit || path.pointee.sent.isFull
                || !path.pointee.presence.hasCredit
            {
                break
            }
            let length = resources.pool.length(of: slot)
            let note = resources.notes[slot]
            if note.isAcknowledged {
                // A copy has already arrived by another path.
                path.pointee.removeFirst(isUrgent: isUrgent, length: length)
                resources.pool.release(slot)
                continue
            }
            let head = note.isRepairSymbol ? Wire.repairHeadSize : 0
            guard let room = outbox.reserve(Wire.overhead + head + length) else { return .full }
            path.pointee.removeFirst(isUrgent: isUrgent, length: length)
            path.pointee.bookTurn(isUrgent: isUrgent, length: length)
            // A packet that overtakes a lower sequence of the other queue proves nothing about the packets
            // waiting there.
            let other = isUrgent ? path.pointee.queue.first : path.pointee.urgent.first
            let overtakes = other != .none && resources.notes[other].sequence < note.sequence
            let flags = overtakes ? DataFlags.overtakes : 0
            let size =
                note.isRepairSymbol
                ? sealRepairSymbol(slot, on: path, into: room, resources)
                : seal(slot, flags, on: path, into: room, resources)
            let mark: UInt8 =
                note.isRepairSymbol || !path.pointee.marks.mayLeave(now: now)
                ? 0 : InnerPacket.ecn(of: resources.pool.packet(in: slot))
            outbox.commit(size, to: link, ecn: mark)
            path.pointee.pacer.book(size + RateModel.datagramOverhead, rate: pace, now: now)
            path.pointee.bookSent(size, now: now)
            if !isClient { path.pointee.presence.book(size) }
            budget -= size
            sendQueue.earnRepairs(size)
            noteCarried(size, now: now)
            path.pointee.lastData = now
            path.pointee.tailProbes = 0
            hasGrown = true
            var kept = slot
            // Without memory to keep a packet for retransmission, new packets go first.
            if !allowance.mayKeep || note.isRepairSymbol {
                resources.pool.release(slot)
                kept = .none
            }
            path.pointee.sent.append(
                slot: kept, size: size, eliciting: true, starved: path.pointee.isStarved(now: now),
                isMarked: mark != 0, now: now, pool: &resources.pool)
            path.pointee.skipNumber(&resources)
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
        seal(
            UnsafeRawBufferPointer(resources.pool.packet(in: slot, withPrefix: Wire.shimSize)),
            behind: Header(
                kind: .data, flags: flags, sessionID: keys.current.pointee.remoteID,
                sequence: resources.notes[slot].sequence,
                pathID: path.pointee.id, packetNumber: path.pointee.sent.next),
            into: room)
    }

    /// Seals a repair symbol as a control datagram that requires an ACK: lost ones count as the path's
    /// losses.
    private func sealRepairSymbol(
        _ slot: Slot, on path: UnsafeMutablePointer<Path>, into room: UnsafeMutableRawBufferPointer,
        _ resources: borrowing Resources
    ) -> Int {
        seal(
            UnsafeRawBufferPointer(
                resources.pool.packet(in: slot, withPrefix: Wire.repairHeadSize + Wire.shimSize)),
            behind: controlHeader(on: path, wantsAck: true, resources), into: room)
    }

    /// Seals a control payload and records it. Its sequence is the lowest that may still be sent on this
    /// path.
    /// - Parameter isProbe: whether it tries a size or an endpoint: then its loss says nothing about the path
    ///   and does not count.
    mutating func seal(
        _ payload: UnsafeRawBufferPointer, on index: Int, to link: Link, wantsAck: Bool,
        isProbe: Bool = false,
        into outbox: inout Outbox, _ resources: inout Resources, now: Instant
    ) {
        let path = paths[index]
        let size = payload.count + Wire.headerSize + Wire.tagSize
        guard let room = outbox.reserve(size) else { return }
        _ = seal(payload, behind: controlHeader(on: path, wantsAck: wantsAck, resources), into: room)
        outbox.commit(size, to: link)
        path.pointee.bookSent(size, now: now)
        path.pointee.sent.append(
            slot: .none, size: size, eliciting: wantsAck && !isProbe,
            starved: path.pointee.isStarved(now: now), now: now,
            pool: &resources.pool)
        path.pointee.skipNumber(&resources)
    }

    /// The header of a path's next control datagram, which tells the peer the lowest sequence that may still
    /// arrive there.
    private func controlHeader(
        on path: UnsafeMutablePointer<Path>, wantsAck: Bool, _ resources: borrowing Resources
    ) -> Header {
        // Both queues are in the order of their sequences, except for retransmissions.
        var lowest = nextSequence
        let (waiting, urgent) = (path.pointee.queue.first, path.pointee.urgent.first)
        if waiting != .none { lowest = min(lowest, resources.notes[waiting].sequence) }
        if urgent != .none { lowest = min(lowest, resources.notes[urgent].sequence) }
        return Header(
            kind: .control, flags: wantsAck ? ControlFlags.wantsAck : 0,
            sessionID: keys.current.pointee.remoteID,
            sequence: lowest, pathID: path.pointee.id, packetNumber: path.pointee.sent.next)
    }

    /// Writes a header and seals the payload behind it.
    /// - Returns: the datagram's size in bytes.
    private func seal(
        _ payload: UnsafeRawBufferPointer, behind header: Header, into room: UnsafeMutableRawBufferPointer
    ) -> Int {
        header.write(to: room)
        return Wire.headerSize
            + keys.current.pointee.keys.sending.seal(
                payload, into: room.dropping(Wire.headerSize),
                header: UnsafeRawBufferPointer(room.slice(0, Wire.headerSize)), pathID: header.pathID,
                packetNumber: header.packetNumber)
    }
}

extension PathList {
    /// Whether a path has anything to send.
    var hasBacklog: Bool {
        for i in 0..<count where self[i].pointee.hasBacklog { return true }
        return false
    }

    /// When `transmit` next has work to do if nothing arrives; `.never` if no packet waits.
    func nextTransmission(now: Instant) -> Instant {
        var next = Instant.never
        for i in 0..<count {
            let path = self[i]
            guard path.pointee.carriesData, path.pointee.hasBacklog else { continue }
            // A full window opens with an ACK, not with time.
            if path.pointee.isWindowFull { continue }
            next = min(next, max(path.pointee.pacer.readyAt, now) + Pacer.quantum)
        }
        return next
    }
}

/// The header flags of data datagrams.
enum DataFlags {
    /// The datagram has overtaken others of its path: lower sequences may still arrive.
    static let overtakes: UInt8 = 1
}

extension Path {
    /// A path with more bytes than this in flight is not idle.
    fileprivate static var idleFlight: Int { 12_000 }

    /// Whether it had nothing to send at some time within the last round trip.
    func isStarved(now: Instant) -> Bool {
        !hasBacklog && now - busyAt > rtt.smoothed || now - starvedAt < max(rtt.smoothed, .milliseconds(20))
    }

    /// Whether it has anything to send.
    var hasBacklog: Bool { !queue.isEmpty || !urgent.isEmpty }

    /// Whether an urgent packet is next. The queue gets at least an eighth of the path: otherwise a steady
    /// stream of urgent packets would keep its packets there until their flow gives them up.
    fileprivate var servesUrgent: Bool { !urgent.isEmpty && (urgentCredit > 0 || queue.isEmpty) }
    private static var largestUrgentCredit: Int { 64 * 1024 }

    fileprivate mutating func bookTurn(isUrgent: Bool, length: Int) {
        if !isUrgent {
            urgentCredit = min(urgentCredit + 7 * length, Self.largestUrgentCredit)
        } else if !queue.isEmpty {
            urgentCredit -= length
        }
    }

    fileprivate mutating func removeFirst(isUrgent: Bool, length: Int) {
        if isUrgent { urgent.removeFirst(length: length) } else { queue.removeFirst(length: length) }
    }

    /// Skips a packet number if that is due, after a datagram has left.
    mutating func skipNumber(_ resources: inout Resources) {
        guard sent.isSkipDue else { return }
        sent.skip(draw: resources.entropy.below(sent.runChoices), pool: &resources.pool)
    }

    /// Counts a datagram that leaves now.
    mutating func bookSent(_ size: Int, now: Instant) {
        lastSent = now
        counters.sentBytes += UInt64(size)
        counters.sentPackets += 1
    }
}
