import Packet
import Proto
import Scheduler

// Actions triggered by time alone.
extension Session {
    /// Probes paths, suspects the silent ones, gives up the dead ones.
    mutating func attend(_ resources: inout Resources, now: Instant) {
        keys.dropRetired(keyring: &resources.keyring, now: now)
        if hasGrown && now - lastData >= Self.idleTime { shrink(&resources) }
        sortPaths(now: now)
        for i in 0..<paths.count {
            let path = paths[i]
            guard path.pointee.link != nil, path.pointee.role != .never else { continue }
            if isDue(.silence, of: i, now: now), path.pointee.liveness.stayedSilent(now: now) {
                doubt(i, &resources, now: now)
            }
            if isDue(.presenceEnd, of: i, now: now),
                path.pointee.presence.closeIfSilent(path.pointee.rtt, now: now),
                path.pointee.liveness.stayedSilent(now: now)
            {
                doubt(i, &resources, now: now)
            }
            if isDue(.failure, of: i, now: now) || isOneWay(path, now: now) {
                fail(i, &resources, now: now)
            }
            if isDue(.probe, of: i, now: now) {
                path.pointee.liveness.probeLeft(now: now)
                path.pointee.control.ping = true
            }
            if isDue(.tailProbe, of: i, now: now) {
                path.pointee.tailProbes += 1
                path.pointee.control.ping = true
            }
            probeIdle(i, now: now)
        }
        sortPaths(now: now)
        measureReach(&resources)
    }

    /// Whether the peer reports, by other paths, that it hears a path that is up, while its answers do not
    /// arrive.
    private func isOneWay(_ path: UnsafeMutablePointer<Path>, now: Instant) -> Bool {
        path.pointee.liveness.isUp && path.pointee.isDeaf(now: now)
            && path.pointee.confirmedAt > path.pointee.lastHeard
    }

    /// Takes the path down: reports it, and sends its packets in flight on other paths.
    private mutating func doubt(_ index: Int, _ resources: inout Resources, now: Instant) {
        // Where no other path is up, packets that may still be answered here have nowhere to go.
        if paths.isAnyUp { moveAway(from: index, &resources) }
        askOthers(but: index, now: now)
        resources.events.append(
            .pathChanged(peer: peerName, pathID: paths[index].pointee.id, state: .suspect))
    }

    /// The path is down: says so, and sends its packets in flight elsewhere.
    mutating func fail(_ index: Int, _ resources: inout Resources, now: Instant) {
        let path = paths[index]
        guard path.pointee.liveness.fail(now: now) else { return }
        moveAway(from: index, &resources)
        if isClient { owed.owePreferences() }
        resources.events.append(.pathChanged(peer: peerName, pathID: path.pointee.id, state: .down))
    }

    /// Moves packets that wait for the path, or are unanswered on it, to other paths.
    mutating func moveAway(from index: Int, _ resources: inout Resources) {
        sendQueue.takeOver(from: paths[index], pool: &resources.pool, notes: resources.notes)
    }
}
