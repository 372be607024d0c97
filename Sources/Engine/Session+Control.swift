import Packet
import Proto
import Scheduler

// Control frames, in and out.
extension Session {
    // MARK: - In

    /// Acts on the frames of an authentic control datagram that arrived on the path at `index`.
    mutating func read(
        _ payload: UnsafeRawBufferPointer, on index: Int, from link: Link, _ resources: inout Resources,
        now: Instant
    ) {
        var reader = FrameReader(payload)
        var statuses = StatusList()
        var hasRepair = false
        while let frame = reader.next() {
            let path = paths[index]
            if isInvitation && !frame.servesEnrolment { continue }
            switch frame {
            case .ack(let ack):
                if let acknowledged = paths.find(ack.pathID) {
                    apply(ack, to: acknowledged, cameOn: index, &resources, now: now)
                }
            case .ping(let token):
                path.pointee.control.pongs.append(token)
                path.pointee.received.hurry(now: now)
                // The token is the sender's clock.
                path.pointee.recordInbound(sentAt: token, now: now)
            case .pong(let token):
                let sample = Interval(
                    nanoseconds: Int64(truncatingIfNeeded: now.microseconds &- token) &* 1000)
                guard sample >= .zero, sample < .seconds(10) else { continue }
                path.pointee.rtt.record(sample, now: now)
                guard path.pointee.isProven(by: token, from: link, now: now) else { continue }
                answered(index, &resources, now: now)
            case .pathChallenge(let token):
                path.pointee.control.responses.append(token)
                if reader.tail.count >= 8 {
                    path.pointee.skippedByPeer = reader.tail.bigEndian(at: 0, as: UInt64.self)
                }
                // The server has received a datagram by this link, and the response must leave by it (RFC
                // 9000 section 8.2.2).
                path.pointee.prove(link, now: now)
            case .pathResponse(let token):
                // From any source: only a receiver at the path's address knows the token.
                if path.pointee.presence.hear(token, now: now) {
                    answered(index, &resources, now: now)
                }
                validate(index, token, from: link, &resources, now: now)
            case .pathStatus(let status):
                if !isClient, let told = paths.find(status.pathID) {
                    statuses.note(StatusList.Entry(frame: status, name: reader.tail), of: told)
                }
            case .mode(let wish):
                if !isClient { noteVersion(reader.tail) }
                guard !isClient, let asked = Mode(rawValue: wish.mode) else { continue }
                mode = asked
                redundantPaths = Int(wish.redundantPaths)
            case .assign:
                if isClient, owed.assigned(now: now), let assignment = reader.assignment {
                    resources.events.append(.assigned(assignment))
                }
            case .assignRequest:
                if !isClient { owed.assignmentAsked(now: now) }
            case .close: isClosedByPeer = true
            case .bench(let request): if !isClient { owed.bench.grant(request, now: now) }
            case .benchCount(let count): if isClient { owed.bench.peerCount = count }
            case .enrol(let frame):
                hear(frame, host: reader.tail, &resources, now: now)
            case .enrolled(let frame):
                guard isClient, owed.enrolling.due != .never, frame.publicKey == owed.enrolling.publicKey
                else {
                    continue
                }
                owed.enrolling.due = frame.outcome == .unavailable ? now + Enrolling.respite : .never
                resources.events.append(.enrolled(frame.outcome))
            case .enrolProof(let proof): if !isClient && isInvitation { owed.enrolling.proof = proof }
            case .secret(let frame): take(frame.secret, &resources, now: now)
            case .secretKept(let generation): if !isClient { owed.secrets.acknowledged(generation) }
            case .shaping(let revision): take(shaping: revision, reader, &resources, now: now)
            case .repair(let repair):
                // No honest sender puts two into a datagram, and each costs more work than its bytes.
                guard !hasRepair else { continue }
                hasRepair = true
                hasGrown = true
                let hasKept = correction.take(
                    repair, reader.tail, near: path.pointee.passed, mayGrow: allowance.mayKeep,
                    pool: &resources.pool, now: now)
                if hasKept { allowance.keep() }
            }
        }
        if reader.isMalformed { resources.drops.malformed += 1 }
        while let (told, status) = statuses.next() { adopt(status, for: told, &resources, now: now) }
        delivery.measureHold(paths, now: now)
    }

    /// The peer answered a challenge: it is at the challenged address, provided that the answer comes from
    /// there too. If someone tricked us into challenging another path's address, the answer comes from the
    /// true one.
    private mutating func validate(
        _ index: Int, _ token: UInt64, from link: Link, _ resources: inout Resources,
        now: Instant
    ) {
        let path = paths[index]
        guard let challenge = path.pointee.challenge, challenge.token == token, challenge.tries > 0,
            challenge.link == link
        else { return }
        let moved = path.pointee.isValidated && path.pointee.link != challenge.link
        let isElsewhere = moved && path.pointee.link?.remote.address != challenge.link.remote.address
        path.pointee.link = challenge.link
        path.pointee.isValidated = true
        path.pointee.presence = PeerPresence()
        path.pointee.challenge = nil
        if moved {
            let remote = challenge.link.remote
            resources.events.append(.pathMoved(peer: peerName, pathID: path.pointee.id, remote: remote))
        }
        if isElsewhere { path.pointee.enterNetwork(now: now) }
        answered(index, &resources, now: now)
        path.pointee.control.ping = true
    }

    /// Server: the client reports the state of one of its paths.
    private mutating func adopt(
        _ told: StatusList.Entry, for index: Int, _ resources: inout Resources, now: Instant
    ) {
        let path = paths[index]
        let status = told.frame
        if !told.name.elementsEqual(path.pointee.name.utf8), let name = Self.name(told.name) {
            path.pointee.name = name
        }
        let role = PathRole(rawValue: status.role) ?? .never
        if path.pointee.carriesData && (status.down || role == .never) {
            // Each change moves all packets that wait for the path. In between, we find out by ourselves.
            guard now - path.pointee.dismissedAt >= Self.dismissalInterval else { return }
            path.pointee.dismissedAt = now
            path.pointee.role = role
            path.pointee.isDownAtPeer = status.down
            moveAway(from: index, &resources)
        }
        path.pointee.role = role
        path.pointee.isDownAtPeer = status.down
        path.pointee.isSpent = status.isSpent
        let cap = Double(status.capMbit) * 125_000
        path.pointee.rate.cap = cap > 0 ? cap : nil
    }

    /// Server: the client has reported its program's version.
    private mutating func noteVersion(_ bytes: UnsafeRawBufferPointer) {
        if bytes.isEmpty || bytes.elementsEqual(version.utf8) { return }
        if let said = Self.name(bytes) { version = said }
    }

    // MARK: - Out

    /// Sends the control datagrams that are due.
    /// - Returns: false if the outbox is full and more are due.
    mutating func control(
        into outbox: inout Outbox, _ resources: inout Resources, assignment: AssignFrame?,
        enrolment: EngineConfiguration.Enrolment?, now: Instant
    ) -> Bool {
        let fastest = paths.fastest
        for i in 0..<paths.count { copyAck(of: i, by: fastest, now: now) }
        for i in 0..<paths.count {
            probeMTU(of: i, into: &outbox, &resources, now: now)
            guard outbox.hasRoom(for: Wire.maximumDatagram) else { return false }
            challenge(i, into: &outbox, &resources, now: now)
            askForPresence(on: i, into: &outbox, &resources, now: now)
            let path = paths[i]
            guard let link = path.pointee.link,
                path.pointee.role != .never || path.pointee.control.farewell
            else {
                path.pointee.received.ackLeft()
                continue
            }
            guard
                isDue(.acknowledgement, of: i, now: now) || !path.pointee.control.isEmpty
                    || path.pointee.carriesData && owed.isAny(now: now) || i == fastest && paths.oweCopies
            else { continue }
            let room = min(1200, path.pointee.mtu.limit - Wire.minimumSealed)
            var writer = FrameWriter(UnsafeMutableRawBufferPointer(rebasing: resources.scratch[..<room]))
            let wantsAck = compose(
                i, isFastest: i == fastest, &writer, assignment: assignment, enrolment: enrolment, now: now)
            let payload = UnsafeRawBufferPointer(rebasing: resources.scratch[..<writer.count])
            guard payload.count > 0 else { continue }
            // A loss on the way to an endpoint that is only being tried says nothing about the path.
            let way = isClient ? path.pointee.probeLink(now: now) ?? link : link
            if wantsAck { path.pointee.race.pinged(now.microseconds, by: way) }
            send(
                payload, on: i, to: way, wantsAck: wantsAck, isProbe: way != link, into: &outbox, &resources,
                now: now)
        }
        owed.preferencesLeft()
        return true
    }

    /// Composes the frames of one control datagram.
    /// - Parameter isFastest: whether the path is the fastest, which carries copies of the others' ACKs.
    /// - Returns: whether it requires an ACK.
    private mutating func compose(
        _ index: Int, isFastest: Bool, _ writer: inout FrameWriter, assignment: AssignFrame?,
        enrolment: EngineConfiguration.Enrolment?, now: Instant
    ) -> Bool {
        let path = paths[index]
        // Send as little as possible on a path that is down: most of it is lost.
        let isDown = path.pointee.liveness.state == .down
        if !isDown || path.pointee.received.ackDue <= now, let ack = ackFrame(index, now: now) {
            // The older one comes first: after the newer, datagrams below that one's map count as lost.
            if let before = earlierAckFrame(index, now: now) { _ = writer.append(before) }
            if writer.append(ack) { path.pointee.received.ackLeft() }
        }
        if isFastest { appendCopies(to: &writer, now: now) }
        while let token = path.pointee.control.pongs.removeFirst() { _ = writer.append(pong: token) }
        while let token = path.pointee.control.responses.removeFirst() {
            _ = writer.append(pathResponse: token)
        }
        var wantsAck = false
        if path.pointee.control.ping {
            path.pointee.control.ping = false
            _ = writer.append(ping: now.microseconds)
            if path.pointee.askedAt <= path.pointee.lastHeard { path.pointee.askedAt = now }
            wantsAck = true
        }
        if isClient && (wantsAck && !isDown || owed.preferences || path.pointee.control.farewell) {
            path.pointee.control.farewell = false
            _ = writer.append(
                ModeFrame(mode: mode.rawValue, redundantPaths: UInt8(clamping: redundantPaths)),
                version: version)
            // All paths' states on each path, because a path that is down cannot report itself.
            for i in 0..<paths.count {
                _ = writer.append(paths[i].pointee.status, name: paths[i].pointee.name)
            }
            if !owed.isAssigned { _ = writer.appendAssignRequest() }
        }
        owed.compose(&writer, on: path.pointee, assignment: assignment, enrolment: enrolment, now: now)
        return wantsAck
    }

    /// Challenges a new address of the peer, repeated every 100 ms for a while, within the allowance earned
    /// by datagrams from there.
    private mutating func challenge(
        _ index: Int, into outbox: inout Outbox, _ resources: inout Resources, now: Instant
    ) {
        let path = paths[index]
        guard isDue(.challenge, of: index, now: now), let challenge = path.pointee.challenge else { return }
        guard challenge.tries < 30 else {
            path.pointee.challenge = nil
            return
        }
        // The turn is used up even if nothing may be sent, otherwise it would remain due forever.
        path.pointee.challenge?.sentAt = now
        path.pointee.challenge?.tries += 1
        var writer = FrameWriter(UnsafeMutableRawBufferPointer(rebasing: resources.scratch[..<1200]))
        guard writer.append(pathChallenge: challenge.token),
            path.pointee.spend(writer.count + Wire.headerSize + Wire.tagSize)
        else { return }
        let payload = UnsafeRawBufferPointer(rebasing: resources.scratch[..<writer.count])
        seal(payload, on: index, to: challenge.link, wantsAck: false, into: &outbox, &resources, now: now)
    }

    /// Tells the peer on every path that the session ends.
    mutating func sendClose(into outbox: inout Outbox, _ resources: inout Resources, now: Instant) {
        for i in 0..<paths.count {
            guard let link = paths[i].pointee.link else { continue }
            var writer = FrameWriter(UnsafeMutableRawBufferPointer(rebasing: resources.scratch[..<64]))
            guard writer.append(close: 0) else { continue }
            let payload = UnsafeRawBufferPointer(rebasing: resources.scratch[..<writer.count])
            send(payload, on: i, to: link, wantsAck: false, into: &outbox, &resources, now: now)
        }
    }

    private mutating func send(
        _ payload: UnsafeRawBufferPointer, on index: Int, to link: Link, wantsAck: Bool,
        isProbe: Bool = false, into outbox: inout Outbox, _ resources: inout Resources, now: Instant
    ) {
        let path = paths[index]
        let size = payload.count + Wire.headerSize + Wire.tagSize
        guard path.pointee.isValidated || path.pointee.spend(size) else { return }
        seal(
            payload, on: index, to: link, wantsAck: wantsAck, isProbe: isProbe, into: &outbox, &resources,
            now: now)
    }
}

extension Frame {
    /// Whether the session of an invitation's holder needs the frame: frames that keep a path alive, and
    /// those that enrol.
    fileprivate var servesEnrolment: Bool {
        switch self {
        case .ack, .ping, .pong, .pathChallenge, .pathResponse, .enrol, .enrolProof, .close: true
        default: false
        }
    }
}

extension Path {
    /// The client's report of the path to the server.
    var status: PathStatusFrame {
        PathStatusFrame(
            pathID: id, role: role.rawValue, down: link == nil || liveness.state == .down,
            capMbit: UInt16(saturating: (rate.cap ?? 0) / 125_000), isSpent: isSpent)
    }

    /// Takes `bytes` from the allowance for the address that is to be proven; returns false if that is too
    /// much.
    mutating func spend(_ bytes: Int) -> Bool {
        guard allowance >= bytes else { return false }
        allowance -= bytes
        return true
    }

    /// Takes a sample of the delay from the peer, which sent a datagram at `sentAt` µs on its clock.
    mutating func recordInbound(sentAt: UInt64, now: Instant) {
        let sample = Interval(nanoseconds: Int64(truncatingIfNeeded: now.microseconds &- sentAt) &* 1000)
        // As in `DelayModel`: a lying peer must not overflow the arithmetic.
        guard sample.nanoseconds.magnitude < 1 << 60 else { return }
        inboundDelay.record(sample, now: now)
        inboundPeak.record(sample.nanoseconds, now: now)
    }
}
