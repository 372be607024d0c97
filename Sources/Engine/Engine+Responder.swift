import Packet
import Proto
import Scheduler

// The server's side of the handshake.
extension Engine {
    /// Copies of an init that arrive by other paths within this time get the same answer.
    private static var copyTime: Interval { .seconds(5) }
    private static var copies: Int { 64 }

    /// Takes an init, to be answered in its turn.
    mutating func take(init datagram: UnsafeRawBufferPointer, from link: Link, now: Instant) {
        guard role == .server, gatekeeper.admitsMac1(datagram) else {
            resources.drops.handshake += 1
            handshakeRecord.wrongServerKeys.note(now)
            return
        }
        let isUnderLoad = admission.isUnderLoad(now: now)
        let hasCookie = gatekeeper.admitsMac2(datagram, from: link.remote, now: now)
        // A client that finds no room returns at once with its cookie, and then there is room.
        if !hasCookie && (isUnderLoad || !inits.hasRoomWithoutCookie) {
            offerCookie(datagram, from: link, now: now)
            return
        }
        if isUnderLoad && !sources.take(link.remote.address, now: now) {
            resources.drops.sourceLimited += 1
            return
        }
        let arrival = InitArrival(link: link, hasCookie: hasCookie, isForwarded: false)
        if !inits.append(datagram, arrival) { resources.drops.handshakeFull += 1 }
    }

    /// Opens the inits for which the turn at `now` has time.
    mutating func openInits(now: Instant) {
        while let (datagram, arrival) = inits.next(now: now) {
            guard let header = Header(parsing: datagram) else { continue }
            read(datagram, header, arrival, now: now)
        }
    }

    /// Opens an init that the gatekeeper has admitted.
    private mutating func read(
        _ datagram: UnsafeRawBufferPointer, _ header: Header, _ arrival: InitArrival, now: Instant
    ) {
        do throws(ProtoError) {
            let responder = try Responder(reading: datagram, staticKey: staticKey, suite: suite)
            try admit(responder, datagram, header, arrival, now: now)
        } catch {
            if error == .notAuthentic && refuseSuite(of: datagram, header, arrival, now: now) { return }
            resources.drops.handshake += 1
        }
    }

    private mutating func offerCookie(_ datagram: UnsafeRawBufferPointer, from link: Link, now: Instant) {
        guard handshakes.hasRoomForAnybody else {
            resources.drops.handshakeFull += 1
            return
        }
        resources.drops.cookies += 1
        let length = gatekeeper.writeCookie(
            answering: datagram, to: link.remote, now: now, entropy: &resources.entropy,
            into: resources.scratch)
        sendHandshake(length, to: link)
    }

    private mutating func admit(
        _ responder: consuming Responder, _ datagram: UnsafeRawBufferPointer, _ header: Header,
        _ arrival: InitArrival, now: Instant
    ) throws(ProtoError) {
        guard let peer = numbers[responder.initiator] else {
            refuseKey(responder, header, from: arrival.link, now: now)
            return
        }
        guard answers(peer, datagram, arrival) else { return }
        let (link, hasCookie) = (arrival.link, arrival.hasCookie)
        let payload = responder.payload
        let continued = resources.keyring.find(payload.previousSession)?.session
        let continues =
            continued != nil && continued == peers[peer].session
            && continued?.pointee.keys.isConfirmed == true
        let newest = peers[peer].lastTimestamp
        if payload.timestamp == newest && now - peers[peer].respondedAt < Self.copyTime {
            repeatResponse(to: link, peer: peer)
            return
        }
        // An init that names the live session need only be newer than its keys: a replay of a recorded one
        // may have raised the newest time stamp above those of a clock that was set back, and does not name
        // this session.
        let inForce = continues ? peers[peer].session?.pointee.keys.current.pointee.timestamp : nil
        if let last = inForce ?? newest, payload.timestamp <= last || payload.timestamp == newest {
            // A replay, or a client whose clock was set back. The cookie decides: a sender that returns one
            // is there now. As it could still be a replay by someone at that address, a session that is alive
            // is not put at risk for it. Several hosts may hold one invitation, each with its own clock; its
            // sessions are short, and a replay saves an attacker no work.
            let isAlive = peers[peer].session.map { now - $0.pointee.lastHeard < .seconds(10) } ?? false
            let isSomebodyElse = peers[peer].configuration.isInvitation
            guard isSomebodyElse || hasCookie && !isAlive && payload.timestamp != newest else {
                resources.drops.handshake += 1
                if !hasCookie && !isAlive { offerCookie(datagram, from: link, now: now) }
                return
            }
        }
        guard peers[peer].handshakes.take(.peer, now: now) else {
            resources.drops.peerLimited += 1
            return
        }
        guard let (presharedKey, secret) = presharedKey(for: peer, generation: payload.secretGeneration)
        else {
            resources.drops.unknownSecret += 1
            refuse(.secret, responder, header, to: link)
            return
        }
        guard let id = resources.keyring.choose(random: resources.entropy.next32()) else { return }
        let remoteID = responder.initiatorSession
        let response = try responder.respond(
            sessionID: id, presharedKey: presharedKey,
            payload: ResponsePayload(continues: continues), pathID: header.pathID,
            entropy: &resources.entropy, to: resources.scratch)
        peers[peer].lastTimestamp = payload.timestamp
        peers[peer].response = [UInt8](resources.scratch[..<response.length])
        peers[peer].responsesLeft = Self.copies
        peers[peer].respondedAt = now
        sendHandshake(response.length, to: link)
        let epoch = UnsafeMutablePointer<Epoch>.allocate(capacity: 1)
        epoch.initialize(
            to: Epoch(keys: response.keys, localID: id, remoteID: remoteID, established: now))
        epoch.pointee.timestamp = payload.timestamp
        epoch.pointee.secret = secret
        if continues, let session = continued {
            session.pointee.keys.propose(epoch, keyring: &resources.keyring)
            resources.keyring.bind(id, to: session, epoch)
            return
        }
        if let unused = peers[peer].pending {
            peers[peer].unconfirmed.note(now)
            close(unused)
        }
        let session = makeSession(peer: peer, epoch: epoch, isConfirmed: false, now: now)
        peers[peer].pending = session
        resources.keyring.bind(id, to: session, epoch)
        timers.set(session.pointee.index, to: now + Wire.rejectAfter)
    }

    private mutating func repeatResponse(to link: Link, peer: Int) {
        guard peers[peer].responsesLeft > 0 else { return }
        peers[peer].responsesLeft -= 1
        peers[peer].response.withUnsafeBytes { handshakes.append($0, to: link) }
    }

    /// Makes a session that sends with the keys of `epoch`.
    mutating func makeSession(
        peer: Int, epoch: UnsafeMutablePointer<Epoch>, isConfirmed: Bool, now: Instant
    ) -> UnsafeMutablePointer<Session> {
        let isClient = role == .client
        let mode = isClient ? mode : peers[peer].configuration.mode
        let copies = isClient ? redundantPaths : peers[peer].configuration.redundantPaths
        let session = sessions.insert { index in
            let session = UnsafeMutablePointer<Session>.allocate(capacity: 1)
            session.initialize(
                to: Session(
                    index: index, peer: peer, peerName: peers[peer].configuration.name, isClient: isClient,
                    mode: mode, redundantPaths: copies,
                    epoch: epoch, isConfirmed: isConfirmed, now: now))
            session.pointee.kind = peers[peer].configuration.kind
            if let enrolment {
                session.pointee.owed.enrolling.publicKey = enrolment.publicKey
                session.pointee.owed.enrolling.due = now
            }
            return session
        }
        session.pointee.setClasses(classes, &resources, now: now)
        if !isClient { session.pointee.setLimits(peers[peer].configuration.limits) }
        return session
    }
}
