import Packet
import Proto
import Scheduler

// A datagram's way in: parse → find the keys → replay check → open → mark → path → order.
extension Engine {
    /// Takes a datagram that arrived from `link`.
    /// - Parameters:
    ///   - ecn: the two ECN bits of its outer header.
    ///   - arrival: when it arrived at this host, at most `now`; `nil` if that is unknown. A datagram of a session
    ///     counts from then, so that the time until it was read is not taken for the path's delay.
    public mutating func receive(
        _ datagram: UnsafeRawBufferPointer, from link: Link, ecn: UInt8 = 0, arrival: Instant? = nil,
        now: Instant
    ) {
        guard let header = Header(parsing: datagram), datagram.count <= Wire.maximumDatagram else {
            refuse(datagram, from: link)
            return
        }
        switch header.kind {
        case .data, .control: open(datagram, header, from: link, ecn, now: arrival ?? now)
        case .handshakeInit: take(init: datagram, from: link, now: now)
        case .handshakeResponse: complete(datagram, from: link, now: now)
        case .cookie: keepCookie(datagram, header, from: link, now: now)
        }
    }

    private mutating func refuse(_ datagram: UnsafeRawBufferPointer, from link: Link) {
        resources.drops.malformed += 1
        guard role == .server, handshakes.hasRoomForAnybody else { return }
        let length = gatekeeper.writeVersionReply(answering: datagram, into: resources.scratch)
        guard length > 0 else { return }
        sendHandshake(length, to: link)
    }

    private mutating func open(
        _ datagram: UnsafeRawBufferPointer, _ header: Header, from link: Link, _ ecn: UInt8, now: Instant
    ) {
        guard datagram.count >= Wire.minimumSealed else {
            resources.drops.malformed += 1
            return
        }
        guard let (session, epoch) = resources.keyring.find(header.sessionID),
            now - epoch.pointee.established < Wire.rejectAfter
        else {
            resources.drops.unknownSession += 1
            return
        }
        // The holder of an invitation carries no data.
        if session.pointee.isInvitation && header.kind == .data {
            resources.drops.foreignSource += 1
            return
        }
        let known = session.pointee.paths.find(header.pathID)
        if let known, !session.pointee.paths[known].pointee.replay.isFresh(header.packetNumber) {
            resources.drops.replayed += 1
            return
        }
        if known == nil && (role == .client || !session.pointee.hasRoom(for: header.pathID, now: now)) {
            resources.drops.unknownPath += 1
            return
        }
        // Data is opened into a slot of its own, where it stays; control into the scratch buffer.
        let slot = header.kind == .data ? resources.pool.reserve() : .none
        if header.kind == .data && slot == .none {
            resources.drops.noBuffer += 1
            return
        }
        let room =
            slot == .none
            ? resources.scratch : resources.pool.room(of: slot, withPrefix: Wire.shimSize)
        let length = datagram.count - Wire.minimumSealed
        guard length <= room.count,
            epoch.pointee.keys.receiving.open(
                datagram.dropping(Wire.headerSize), into: room,
                header: datagram.slice(0, Wire.headerSize), pathID: header.pathID,
                packetNumber: header.packetNumber)
        else {
            resources.drops.forged += 1
            if slot != .none { resources.pool.release(slot) }
            return
        }
        // From here on the datagram is known to come from the peer itself.
        guard let index = known ?? adopt(header.pathID, from: link, in: session, now: now) else {
            resources.drops.unknownPath += 1
            if slot != .none { resources.pool.release(slot) }
            return
        }
        let path = session.pointee.paths[index]
        path.pointee.replay.mark(header.packetNumber)
        epoch.pointee.isHeard = true
        confirm(session, epoch, now: now)
        session.pointee.note(
            header, size: datagram.count, on: index, from: link, &resources, now: now)
        touch(session)
        if slot == .none {
            // Control datagrams leave as Not-ECT.
            if ecn == InnerPacket.ce { distrustMarks(of: index, in: session, now: now) }
            session.pointee.read(
                UnsafeRawBufferPointer(rebasing: room[..<length]), on: index, from: link, &resources, now: now
            )
            if role == .client { settle(path) }
        } else {
            deliver(
                slot, UnsafeRawBufferPointer(rebasing: room[..<length]), sequence: header.sequence, ecn: ecn,
                on: index, in: session, now: now)
        }
        // Packets that can now be recovered take the same way.
        while let packet = session.pointee.correction.popRecovered() {
            let payload = resources.pool.packet(in: packet.slot, withPrefix: Wire.shimSize)
            deliver(
                packet.slot, UnsafeRawBufferPointer(payload), sequence: packet.sequence, isRecovered: true,
                in: session, now: now)
        }
    }

    /// Checks an inner packet before it joins its flow.
    private mutating func deliver(
        _ slot: Slot, _ payload: UnsafeRawBufferPointer, sequence: UInt64, ecn: UInt8 = 0,
        on path: Int = 0, isRecovered: Bool = false,
        in session: UnsafeMutablePointer<Session>, now: Instant
    ) {
        let length = payload.count - Wire.shimSize
        if length > 0, length <= PacketPool.maximumPacket, Shim(parsing: payload).flags & Shim.test != 0 {
            resources.pool.setLength(length, of: slot)
            if !isRecovered { session.pointee.remember(slot, sequence: sequence, &resources, now: now) }
            session.pointee.deliver(
                slot, sequence: sequence, Shim(parsing: payload), isRecovered: isRecovered, &resources,
                now: now)
            return
        }
        guard payload.count > Wire.shimSize, payload.count - Wire.shimSize <= PacketPool.maximumPacket,
            let packet = InnerPacket(parsing: payload.dropping(Wire.shimSize)),
            !isRecovered || payload.dropping(Wire.shimSize + packet.length).allSatisfy({ $0 == 0 })
        else {
            resources.drops.notIP += 1
            resources.pool.release(slot)
            return
        }
        // A client must not use another client's address as a source, nor one on the internet.
        guard role == .client || routes.find(packet.source) == session.pointee.peer else {
            resources.drops.foreignSource += 1
            resources.pool.release(slot)
            return
        }
        resources.pool.setLength(packet.length, of: slot)
        // The sums cover the bytes that the peer sent, so this precedes any change made here. The decoder
        // already knows the packets it recovered.
        if !isRecovered { session.pointee.remember(slot, sequence: sequence, &resources, now: now) }
        let shim = Shim(parsing: payload)
        let bytes = resources.pool.packet(in: slot)
        if ecn == InnerPacket.ce && InnerPacket.ecn(of: bytes) == InnerPacket.notECT {
            distrustMarks(of: path, in: session, now: now)
        }
        let heedsMark = ecn != 0 && session.pointee.paths[path].pointee.marks.areTrusted(now: now)
        guard !heedsMark || InnerPacket.combineECN(ecn, in: bytes) else {
            resources.drops.congested += 1
            resources.pool.release(slot)
            return
        }
        InnerPacket.clampSegments(
            in: bytes, to: session.pointee.reach.smallest,
            hasPartialChecksum: shim.flags & Shim.partialChecksum != 0)
        session.pointee.deliver(
            slot, sequence: sequence, shim, isRecovered: isRecovered, &resources, now: now)
    }

    /// A datagram arrived as CE on the path although the peer sent it as Not-ECT.
    private mutating func distrustMarks(
        of index: Int, in session: UnsafeMutablePointer<Session>, now: Instant
    ) {
        let path = session.pointee.paths[index]
        guard path.pointee.marks.sawFalseMark(now: now) else { return }
        resources.events.append(
            .marksIgnored(
                peer: peers[session.pointee.peer].configuration.name, pathID: path.pointee.id))
    }

    /// Server: the client has begun to use another path.
    private mutating func adopt(
        _ id: UInt16, from link: Link, in session: UnsafeMutablePointer<Session>, now: Instant
    ) -> Int? {
        if session.pointee.paths.count == Lanes.maximum, let index = session.pointee.abandonedPath(now: now) {
            session.pointee.removePath(at: index, pool: &resources.pool)
        }
        return session.pointee.paths.append(
            Path(id: id, role: .primary, link: link, isValidated: false, mtu: outerMTU, now: now))
    }

    /// Server: the client has shown that it holds the keys, so they may be used now.
    private mutating func confirm(
        _ session: UnsafeMutablePointer<Session>, _ epoch: UnsafeMutablePointer<Epoch>, now: Instant
    ) {
        if session.pointee.keys.isProposed(epoch) {
            session.pointee.keys.promote(epoch, keyring: &resources.keyring, now: now)
            session.pointee.counters.rekeys += 1
            let name = peers[session.pointee.peer].configuration.name
            resources.events.append(.established(peer: name, continues: true))
            offerSecret(in: session, now: now)
        }
        guard !session.pointee.keys.isConfirmed else { return }
        session.pointee.keys.confirm()
        let peer = session.pointee.peer
        peers[peer].unconfirmed = RecentCount()
        if let old = peers[peer].session {
            peers[peer].rivalry.replaced(
                old.pointee.remotes, lastHeard: old.pointee.lastHeard, by: session.pointee.remotes.first,
                now: now)
            peers[peer].session = nil
            close(old)
        }
        peers[peer].pending = nil
        peers[peer].session = session
        session.pointee.owed.oweAssignment()
        offerSecret(in: session, now: now)
        resources.events.append(.established(peer: peers[peer].configuration.name, continues: false))
    }
}
