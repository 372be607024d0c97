import Packet
import Proto
import Scheduler

// What time alone brings about.
extension Session {
    /// Probes paths, doubts the silent ones, gives up the dead ones.
    mutating func attend(_ resources: inout Resources, now: Instant) {
        keys.dropRetired(keyring: &resources.keyring, now: now)
        if hasGrown && now - lastData >= Self.idleTime { shrink(&resources) }
        sortPaths(now: now)
        for i in 0..<paths.count {
            let path = paths[i]
            guard path.pointee.link != nil, path.pointee.role != .never else { continue }
            if let sentAt = path.pointee.sent.oldestUnanswered(),
                now - sentAt >= path.pointee.rtt.answerTimeout,
                now - sentAt >= patience(with: i, rank: bestRank(), now: now),
                path.pointee.liveness.stayedSilent(now: now)
            {
                // Where no other path is up, what may still be answered here has nowhere to go.
                if hasPathUp { moveAway(from: i, &resources) }
                askOthers(but: i, now: now)
                resources.events.append(
                    .pathChanged(peer: peerName, pathID: path.pointee.id, state: .suspect))
            }
            if closeIfSilent(path, now: now), path.pointee.liveness.stayedSilent(now: now) {
                if hasPathUp { moveAway(from: i, &resources) }
                askOthers(but: i, now: now)
                resources.events.append(
                    .pathChanged(peer: peerName, pathID: path.pointee.id, state: .suspect))
            }
            if path.pointee.liveness.givesUpAt(path.pointee.rtt) <= now || isOneWay(path, now: now) {
                fail(i, &resources, now: now)
            }
            if path.pointee.liveness.probeDue <= now && mayProbe(path, now: now) {
                path.pointee.liveness.probeLeft(now: now)
                path.pointee.control.ping = true
            }
            if path.pointee.tailProbeDue() <= now {
                path.pointee.tailProbes += 1
                path.pointee.control.ping = true
            }
            probeIdle(i, now: now)
        }
        sortPaths(now: now)
        measureReach(&resources)
    }

    /// Whether the peer hears a path that is up, as it says by others, and its answers don't come back.
    private func isOneWay(_ path: UnsafeMutablePointer<Path>, now: Instant) -> Bool {
        path.pointee.liveness.isUp && path.pointee.isDeaf(now: now)
            && path.pointee.confirmedAt > path.pointee.lastHeard
    }

    /// A server probes only where the client was proven to be, and not for long: whether a path comes back is the client's
    /// to find out, and it may have removed it.
    private func mayProbe(_ path: UnsafeMutablePointer<Path>, now: Instant) -> Bool {
        isClient || path.pointee.isValidated && now - path.pointee.lastHeard < .seconds(10)
    }

    /// The path is down: say so, and send elsewhere what was under way on it.
    mutating func fail(_ index: Int, _ resources: inout Resources, now: Instant) {
        let path = paths[index]
        guard path.pointee.liveness.fail(now: now) else { return }
        moveAway(from: index, &resources)
        if isClient { owed.owePreferences() }
        resources.events.append(.pathChanged(peer: peerName, pathID: path.pointee.id, state: .down))
    }

    /// What waits for the path and what is unanswered on it goes again elsewhere.
    mutating func moveAway(from index: Int, _ resources: inout Resources) {
        sendQueue.takeOver(from: paths[index], pool: &resources.pool, notes: resources.notes)
    }

    /// When the session wants to be looked at next.
    mutating func nextDeadline(now: Instant) -> Instant {
        var next = min(delivery.nextDeadline(), nextTransmission(now: now), correction.due)
        if hasGrown { next = min(next, lastData + Self.idleTime) }
        if hasPathUp { next = min(next, owed.nextDeadline) }
        next = min(next, keys.retirement)
        let rank = bestRank()
        for i in 0..<paths.count {
            let path = paths[i]
            next = min(next, path.pointee.received.ackDue)
            if let challenge = path.pointee.challenge {
                next = min(next, challenge.sentAt + .milliseconds(100))
            }
            guard path.pointee.link != nil, path.pointee.role != .never else { continue }
            next = min(next, mtuProbeDue(on: i, now: now), presenceDue(on: i, now: now))
            let trusted = path.pointee.mtu.trustedAt
            if sendQueue.count > 0 && trusted > now { next = min(next, trusted) }
            next = min(next, path.pointee.liveness.givesUpAt(path.pointee.rtt))
            if mayProbe(path, now: now) { next = min(next, path.pointee.liveness.probeDue) }
            if path.pointee.liveness.isUp {
                next = min(next, path.pointee.nextIdleProbe)
                next = min(next, path.pointee.tailProbeDue())
                if let sentAt = path.pointee.sent.oldestUnanswered() {
                    next = min(next, sentAt + patience(with: i, rank: rank, now: now))
                }
            }
        }
        return next
    }
}
