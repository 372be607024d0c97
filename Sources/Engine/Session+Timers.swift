import Packet
import Proto
import Scheduler

// Actions triggered by time alone.
extension Session {
    /// Probes paths, suspects the silent ones, gives up the dead ones.
    mutating func attend(_ resources: inout Resources, name: String, now: Instant) {
        dropRetiredKeys(keyring: &resources.keyring, now: now)
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
                // If no other path is up, packets that may still be answered here cannot move anywhere.
                if hasPathUp { moveAway(from: i, &resources) }
                askOthers(but: i, now: now)
                resources.events.append(.pathChanged(peer: name, pathID: path.pointee.id, state: .suspect))
            }
            if closeIfSilent(path, now: now), path.pointee.liveness.stayedSilent(now: now) {
                if hasPathUp { moveAway(from: i, &resources) }
                askOthers(but: i, now: now)
                resources.events.append(.pathChanged(peer: name, pathID: path.pointee.id, state: .suspect))
            }
            if path.pointee.liveness.givesUpAt(path.pointee.rtt) <= now || isOneWay(path, now: now) {
                fail(i, &resources, name: name, now: now)
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
        measureReach(&resources, name: name)
    }

    /// Whether the peer reports, by other paths, that it hears a path that is up, while its answers do not
    /// arrive.
    private func isOneWay(_ path: UnsafeMutablePointer<Path>, now: Instant) -> Bool {
        path.pointee.liveness.isUp && path.pointee.isDeaf(now: now)
            && path.pointee.confirmedAt > path.pointee.lastHeard
    }

    /// A server probes only an address at which the client has been proven, and not for long: finding out
    /// whether a path comes back is up to the client, which may have removed it.
    private func mayProbe(_ path: UnsafeMutablePointer<Path>, now: Instant) -> Bool {
        isClient || path.pointee.isValidated && now - path.pointee.lastHeard < .seconds(10)
    }

    /// Takes the path down: reports it, and sends its packets in flight on other paths.
    mutating func fail(_ index: Int, _ resources: inout Resources, name: String, now: Instant) {
        let path = paths[index]
        guard path.pointee.liveness.fail(now: now) else { return }
        moveAway(from: index, &resources)
        owesPreferences = isClient
        resources.events.append(.pathChanged(peer: name, pathID: path.pointee.id, state: .down))
    }

    /// Moves packets that wait for the path, or are unanswered on it, to other paths.
    mutating func moveAway(from index: Int, _ resources: inout Resources) {
        let path = paths[index]
        let before = resend.count
        path.pointee.sent.surrender(to: &resend, pool: &resources.pool, notes: resources.notes)
        path.pointee.urgent.removeAll(to: &resend, pool: &resources.pool)
        path.pointee.queue.removeAll(to: &resend, pool: &resources.pool)
        path.pointee.counters.repaired += UInt64(resend.count - before)
    }

    /// When the session next needs attention.
    mutating func nextDeadline(now: Instant) -> Instant {
        var next = min(reorder.nextDeadline(), nextTransmission(now: now), coding.due)
        if hasGrown { next = min(next, lastData + Self.idleTime) }
        if hasPathUp { next = min(next, enrolling.due, secrets.due) }
        if let previous = previousEpoch { next = min(next, previous.pointee.retired + Wire.keepOld) }
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
            if !queue.isEmpty && trusted > now { next = min(next, trusted) }
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
