import Packet
import Proto
import Scheduler

// The client's side of the handshake.
extension Engine {
    /// Time between two inits: one second at first, because the server may come back at any time, then two,
    /// and five after ten minutes, which is 4 MB a day on each path.
    private static func retry(after tries: Interval) -> Interval {
        if tries < Wire.rekeyAttemptTime { return .seconds(1) }
        return tries < Dialer.longPatience ? .seconds(2) : Dialer.dearInterval
    }

    /// Sends inits if a handshake is needed: there is no session, its keys are old, or no path is answered.
    mutating func dial(now: Instant, wall: Timestamp) {
        guard role == .client, now >= dialer.nextAttempt else { return }
        guard let wanted = wantsHandshake(now: now) else {
            dialer.searchingSince = nil
            dialer.nextAttempt = nextDialCheck(now: now)
            dialer.roundEnd = .zero
            forgetAttempt()
            return
        }
        guard dialer.paths.contains(where: { $0.link != nil && $0.role != .never }) else {
            dialer.nextAttempt = now + .milliseconds(500)
            return
        }
        let since = dialer.searchingSince ?? now
        dialer.searchingSince = since
        if now - since >= Wire.rekeyAttemptTime && !dialer.hasComplained {
            dialer.hasComplained = true
            resources.events.append(.unanswered)
        }
        if now >= dialer.roundEnd {
            let jitter = Interval(nanoseconds: Int64(resources.entropy.below(250_000_000)))
            beginRound(until: now + Self.retry(after: now - since) + jitter)
        }
        if !isUnderWay(wanted, now: now) {
            forgetAttempt()
            guard begin(wanted, now: now, wall: wall) else {
                dialer.nextAttempt = dialer.roundEnd
                return
            }
            for index in dialer.paths.indices { dialer.paths[index].turn = 0 }
        }
        sendRound(toAll: wanted == .session, now: now)
    }

    /// Whether there is an init that may be repeated.
    private func isUnderWay(_ wanted: Wanted, now: Instant) -> Bool {
        guard let attempt = dialer.current else { return false }
        return now - attempt.pointee.startedAt < Wire.rekeyTimeout
            && attempt.pointee.continues == continuesSession(wanted)
    }

    /// Whether an init asks to continue the current session. It does so even after silence on all paths: a
    /// radio link may have held everything back for a moment, and a server that has restarted refuses. But
    /// the last two sets of new keys must not both have been in vain: a client whose packet numbers went
    /// backwards, as in a virtual machine restored from a snapshot, is ignored by its peer.
    private func continuesSession(_ wanted: Wanted) -> Bool {
        guard let session = peers[0].session else { return false }
        return wanted == .newKeys || session.pointee.continuedInVain < 2
    }

    /// Makes a new init; returns false if no session ID is left, or if the server's key is invalid.
    private mutating func begin(_ wanted: Wanted, now: Instant, wall: Timestamp) -> Bool {
        // The clock may be set back; time stamps must never go back.
        let timestamp = max(wall, dialer.lastTimestamp.next)
        dialer.lastTimestamp = timestamp
        let continues = continuesSession(wanted)
        let previousSession = continues ? peers[0].session?.pointee.keys.current.pointee.remoteID ?? 0 : 0
        guard let id = resources.keyring.choose(random: resources.entropy.next32()) else { return false }
        let (presharedKey, secret) = ownPresharedKey
        do throws(ProtoError) {
            let initiator = try Initiator(
                staticKey: staticKey, responder: dialer.server, presharedKey: presharedKey, suite: suite,
                sessionID: id,
                payload: InitPayload(
                    timestamp: timestamp, previousSession: previousSession,
                    secretGeneration: secret.generation),
                entropy: &resources.entropy)
            let attempt = UnsafeMutablePointer<Attempt>.allocate(capacity: 1)
            attempt.initialize(
                to: Attempt(
                    initiator: initiator, startedAt: now, continues: continues, secret: secret))
            dialer.current = attempt
            return true
        } catch {
            resources.keyring.release(id)
            resources.drops.handshake += 1
            return false
        }
    }

    /// Sends the current init, if there is one, on a path by one of its links.
    mutating func sendInit(on index: Int, by link: Link, isCookieAnswer: Bool = false, now: Instant) {
        guard let attempt = dialer.current, dialer.paths[index].role != .never else { return }
        let (length, mac1) = attempt.pointee.initiator.writeInit(
            pathID: dialer.paths[index].id, cookie: dialer.paths[index].jar.current(now),
            to: resources.scratch)
        if attempt.pointee.startedAt != now { attempt.pointee.isRepeated = true }
        dialer.paths[index].lastMac1 = mac1
        dialer.paths[index].lastInit = now
        dialer.paths[index].answeredCookie = isCookieAnswer
        sendHandshake(length, to: link)
    }

    private enum Wanted {
        case session
        case newKeys
    }

    private func wantsHandshake(now: Instant) -> Wanted? {
        guard let session = peers[0].session else { return .session }
        // Every path has been given up: the server may have restarted and forgotten us.
        if session.pointee.hasLostAllPaths(now: now) { return .session }
        let epoch = session.pointee.keys.current
        if now - epoch.pointee.established >= Wire.rekeyAfter { return .newKeys }
        return session.pointee.packetsUnderKeys >= suite.rekeyAfterPackets ? .newKeys : nil
    }

    /// When to check again whether a handshake is needed.
    private func nextDialCheck(now: Instant) -> Instant {
        guard let session = peers[0].session else { return now }
        return min(
            session.pointee.keys.current.pointee.established + Wire.rekeyAfter, now + .milliseconds(100))
    }

    /// Discards the current init.
    mutating func forgetAttempt() {
        guard let attempt = dialer.current else { return }
        dialer.current = nil
        if resources.keyring.find(attempt.pointee.initiator.sessionID) == nil {
            resources.keyring.release(attempt.pointee.initiator.sessionID)
        }
        attempt.deinitialize(count: 1)
        attempt.deallocate()
    }

    /// Takes the server's answer: the first valid one wins.
    mutating func complete(_ datagram: UnsafeRawBufferPointer, from link: Link, now: Instant) {
        guard role == .client, let attempt = dialer.current else {
            resources.drops.handshake += 1
            return
        }
        do throws(ProtoError) {
            let established = try attempt.pointee.initiator.readResponse(datagram)
            establish(established, attempt, from: link, now: now)
        } catch {
            if error == .notAuthentic { handshakeRecord.unreadable.note(now) }
            resources.drops.handshake += 1
        }
    }

    private mutating func establish(
        _ established: consuming Established, _ attempt: UnsafeMutablePointer<Attempt>, from link: Link,
        now: Instant
    ) {
        let answering = settle(on: link)
        let id = attempt.pointee.initiator.sessionID
        let rtt = attempt.pointee.isRepeated ? nil : now - attempt.pointee.startedAt
        let continues = established.payload.continues && attempt.pointee.continues
        let epoch = UnsafeMutablePointer<Epoch>.allocate(capacity: 1)
        let remoteID = established.sessionID
        epoch.initialize(
            to: Epoch(keys: established.keys, localID: id, remoteID: remoteID, established: now))
        epoch.pointee.secret = attempt.pointee.secret
        let session: UnsafeMutablePointer<Session>
        if continues, let present = peers[0].session {
            session = present
            let isHeard = present.pointee.keys.current.pointee.isHeard
            session.pointee.continuedInVain = isHeard ? 0 : session.pointee.continuedInVain + 1
            session.pointee.beginCount()
            session.pointee.keys.promote(epoch, keyring: &resources.keyring, now: now)
            session.pointee.counters.rekeys += 1
        } else {
            if let old = peers[0].session {
                peers[0].session = nil
                close(old)
            }
            session = makeSession(peer: 0, epoch: epoch, isConfirmed: true, now: now)
            peers[0].session = session
            session.pointee.version = version
            session.pointee.owed.secrets.kept = secrets.newest?.generation ?? 0
            for local in dialer.paths { add(local, to: session, now: now) }
        }
        resources.keyring.bind(id, to: session, epoch)
        forgetAttempt()
        dialer.searchingSince = nil
        dialer.hasComplained = false
        dialer.nextAttempt = nextDialCheck(now: now)
        dialer.roundEnd = .zero
        // The path that the answer came by is up, and every path sends a PING under the new keys.
        for i in 0..<session.pointee.paths.count {
            let path = session.pointee.paths[i]
            path.pointee.control.ping = true
            guard !session.pointee.paths.isAnyUp, path.pointee.id == answering, path.pointee.role != .never
            else { continue }
            path.pointee.proven = link
            settle(path)
            let wasDown = path.pointee.liveness.state == .down
            if let rtt, !continues { path.pointee.rtt.record(rtt, now: now) }
            if path.pointee.liveness.answered(now: now, alone: true) {
                if wasDown { path.pointee.rate.halve(now: now) }
                let name = peers[0].configuration.name
                resources.events.append(.pathChanged(peer: name, pathID: path.pointee.id, state: .up))
            }
        }
        resources.events.append(
            .established(peer: peers[0].configuration.name, continues: continues))
        touch(session)
    }

    /// Stores the cookie that the server demands, and repeats the init with it at once.
    mutating func keepCookie(
        _ datagram: UnsafeRawBufferPointer, _ header: Header, from link: Link, now: Instant
    ) {
        guard role == .client, let attempt = dialer.current,
            attempt.pointee.initiator.sessionID == header.sessionID,
            let index = dialer.paths.firstIndex(where: {
                $0.race.links.contains { $0.socket == link.socket && $0.remote == link.remote }
            })
        else {
            resources.drops.handshake += 1
            return
        }
        // Nothing proves that this comes from the server, so it is only worth a hint to the user.
        if header.flags == Wire.versionReplyFlags {
            resources.events.append(.versionRefused)
            return
        }
        if Refusal(rawValue: header.flags) != nil {
            noteRefusal(datagram, of: attempt, now: now)
            return
        }
        guard let mac1 = dialer.paths[index].lastMac1, !dialer.paths[index].answeredCookie,
            dialer.paths[index].jar.read(datagram, answering: mac1, now: now)
        else { return }
        sendInit(on: index, by: link, isCookieAnswer: true, now: now)
    }
}

extension Timestamp {
    /// The next time stamp that counts as later.
    fileprivate var next: Timestamp {
        nanoseconds == 999_999_999
            ? Timestamp(seconds: seconds &+ 1, nanoseconds: 0)
            : Timestamp(seconds: seconds, nanoseconds: nanoseconds &+ 1)
    }
}
