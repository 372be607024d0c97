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

    /// Whether the peer hears a path that is up, as its ACKs on other paths say, while its answers don't come back.
    private func isOneWay(_ path: UnsafeMutablePointer<Path>, now: Instant) -> Bool {
        path.pointee.liveness.isUp && path.pointee.isDeaf(now: now)
            && path.pointee.confirmedAt > path.pointee.lastHeard
    }

    /// The path has fallen silent: sends its packets elsewhere, and asks the others whether they are there.
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

    /// The packets that wait for the path, and those unanswered on it, go again elsewhere.
    mutating func moveAway(from index: Int, _ resources: inout Resources) {
        sendQueue.takeOver(from: paths[index], pool: &resources.pool, notes: resources.notes)
    }
}
