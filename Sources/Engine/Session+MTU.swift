import Packet
import Proto
import Scheduler

/// Packet sizes that the paths in use carry, in bytes of inner packets.
struct Reach {
    /// Size that fits all of them; flows should keep to it so that they can use all paths.
    var smallest = Int.max
    /// Size that fits at least one of them, as far as known.
    var largest = Int.max
    /// When the next answer to a packet that is too big may be sent, within the rate limit.
    var nextAnswer = Instant.zero
}

// How large packets may be: probes, their results, and the limits that senders are told.
extension Session {
    /// Minimum interval between answers to packets that are too big, with 20 at once (RFC 1812 section
    /// 4.3.2.8, RFC 4443 section 2.4): enough to inform each flow, too few to be worth provoking.
    static var answerInterval: Interval { .milliseconds(10) }
    static var answerBurst: Interval { .milliseconds(200) }

    /// Updates `reach`. While no path is up it stays as it was.
    mutating func measureReach(_ resources: inout Resources) {
        var smallest = Int.max
        var narrowest = Int.max
        var largest = 0
        // A path that is too far behind to be used does not count.
        for i in 0..<paths.count where paths[i].pointee.use == .active {
            let size = paths[i].pointee.mtu.prospect - Wire.overhead
            // A repair symbol is longer than the packets in it.
            if paths[i].pointee.mtu.isNarrow {
                narrowest = min(narrowest, size - Wire.repairHeadSize)
            } else {
                smallest = min(smallest, size - Wire.repairHeadSize)
            }
            largest = max(largest, size)
        }
        guard largest > 0 else { return }
        // A path below the minimum that IPv6 requires takes what fits and leaves the rest to the others.
        if smallest == .max { smallest = narrowest }
        reach.largest = largest
        guard smallest != reach.smallest else { return }
        reach.smallest = smallest
        resources.events.append(.reachChanged(peer: peerName, packet: smallest))
    }

    // MARK: - Probes

    /// When `probeMTU` has work to do. The first probes leave with the first PINGs, so that a path's size is
    /// known when it comes up; to a peer whose address is unproven they count against its allowance. A path
    /// that carries less than its interface's MTU, and has no data to carry, is not probed.
    func mtuProbeDue(on index: Int, now: Instant) -> Instant {
        let path = paths[index]
        guard path.pointee.link != nil, path.pointee.role != .never,
            path.pointee.isValidated || path.pointee.allowance >= path.pointee.mtu.ceiling
        else { return .never }
        switch path.pointee.liveness.state {
        case .up:
            let isInUse = now - path.pointee.lastData < .seconds(2)
            guard path.pointee.mtu.isSearching || isInUse else { return .never }
        case .probing: guard path.pointee.mtu.mayProbeEarly else { return .never }
        case .suspect, .down: return .never
        }
        return path.pointee.mtu.due(path.pointee.rtt.answerTimeout)
    }

    /// Sends the probe that is due, if any: a control datagram of nothing but padding, which the peer
    /// acknowledges.
    mutating func probeMTU(
        of index: Int, into outbox: inout Outbox, _ resources: inout Resources, now: Instant
    ) {
        let path = paths[index]
        guard isDue(.mtuProbe, of: index, now: now), outbox.hasRoom(for: path.pointee.mtu.ceiling),
            let link = path.pointee.link
        else { return }
        let before = path.pointee.mtu.confirmed
        let size = path.pointee.mtu.nextProbe(path.pointee.rtt.answerTimeout, now: now)
        if path.pointee.mtu.confirmed < before { moveAway(from: index, &resources) }
        guard let size, path.pointee.isValidated || path.pointee.spend(size) else { return }
        let room = UnsafeMutableRawBufferPointer(
            rebasing: resources.scratch[..<(size - Wire.headerSize - Wire.tagSize)])
        var writer = FrameWriter(room)
        guard writer.append(padding: room.count) else { return }
        path.pointee.mtu.left(
            as: path.pointee.sent.next, isEarly: path.pointee.liveness.state == .probing, now: now)
        seal(
            UnsafeRawBufferPointer(room), on: index, to: link, wantsAck: true, isProbe: true, into: &outbox,
            &resources, now: now)
    }

    // MARK: - Packets

    /// Whether a packet fits no path that is up; then its sender is told, and the caller drops it.
    mutating func refusesAsTooBig(
        _ slot: Slot, _ length: Int, _ resources: inout Resources, now: Instant
    ) -> Bool {
        guard length > reach.largest else { return false }
        resources.drops.packetTooBig += 1
        adviseSmaller(slot, &resources, now: now)
        return true
    }

    /// Tells the sender of a packet which size fits all paths.
    mutating func adviseSmaller(_ slot: Slot, _ resources: inout Resources, now: Instant) {
        guard reach.nextAnswer <= now + Self.answerBurst else { return }
        let answer = resources.pool.reserve()
        guard answer != .none else { return }
        let packet = UnsafeRawBufferPointer(resources.pool.packet(in: slot))
        guard
            let length = InnerPacket.writeTooBig(
                about: packet, mtu: reach.smallest, to: resources.pool.room(of: answer))
        else {
            resources.pool.release(answer)
            return
        }
        reach.nextAnswer = max(reach.nextAnswer, now) + Self.answerInterval
        resources.pool.setLength(length, of: answer)
        Shim(distance: 0, trafficClass: TrafficClass.bulk.rawValue, flags: 0)
            .write(to: resources.pool.packet(in: answer, withPrefix: Wire.shimSize))
        if !resources.deliveries.append(answer, length: length) { resources.pool.release(answer) }
    }
}

extension Engine {
    /// The host refused a datagram of `size` bytes that should have left by `link`, because the interface's
    /// MTU is smaller (EMSGSIZE).
    public mutating func refuse(_ size: Int, on link: Link, now: Instant) {
        for peer in peers {
            guard let session = peer.session else { continue }
            for i in 0..<session.pointee.paths.count where session.pointee.paths[i].pointee.link == link {
                if session.pointee.paths[i].pointee.mtu.refuse(size, now: now) {
                    session.pointee.moveAway(from: i, &resources)
                }
                touch(session)
            }
        }
    }
}

extension Path {
    /// Bytes of IP and UDP headers before a datagram.
    static func headers(_ link: Link?) -> Int { (link?.remote.address.family ?? .v4).outerHeaders }

    /// The largest datagram that an interface with this MTU sends and the peer accepts.
    static func datagram(_ mtu: Int, _ link: Link?) -> Int { min(mtu - headers(link), Wire.maximumDatagram) }
}
