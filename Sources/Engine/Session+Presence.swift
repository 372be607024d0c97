import Packet
import Proto
import Scheduler

// Server: whether clients are still where their data is sent (see `PeerPresence`).
extension Session {
    /// When the next token leaves. Finding out whether a path that was silent for 10 s has come back is up to
    /// the client.
    func tokenDue(on index: Int, now: Instant) -> Instant {
        let path = paths[index]
        guard !isClient, path.pointee.isValidated, path.pointee.link != nil, path.pointee.role != .never,
            now - path.pointee.lastHeard < .seconds(10)
        else { return .never }
        return path.pointee.presence.due(path.pointee.rtt)
    }

    /// Sends the token that is due, with the number of skipped packet numbers, which only a receiver at that
    /// address may learn.
    mutating func askForPresence(
        on index: Int, into outbox: inout Outbox, _ resources: inout Resources, now: Instant
    ) {
        guard isDue(.presenceToken, of: index, now: now), outbox.hasRoom(for: Wire.maximumDatagram),
            let link = paths[index].pointee.link
        else { return }
        let token = resources.entropy.next()
        var writer = FrameWriter(UnsafeMutableRawBufferPointer(rebasing: resources.scratch[..<64]))
        guard writer.append(pathChallenge: token, skipped: paths[index].pointee.sent.skipped) else { return }
        paths[index].pointee.presence.ask(token, now: now)
        let payload = UnsafeRawBufferPointer(rebasing: resources.scratch[..<writer.count])
        seal(payload, on: index, to: link, wantsAck: false, into: &outbox, &resources, now: now)
    }
}

extension Path {
    /// Whether an answer much longer than the question may be sent there.
    var mayAnswerAtLength: Bool { isValidated && !presence.isClosed }

    /// The peer has proven to be at another address: measurements of the old network no longer hold (RFC 9000
    /// section 9.4). The rate starts at half; delays and sizes are measured again.
    mutating func enterNetwork(now: Instant) {
        rate.halve(now: now)
        rtt.restartFloor(now: now)
        delay.restartFloor(now: now)
        mtu = PathMTU(ceiling: mtu.ceiling)
        lossRatio = 0
        randomLoss = 0
    }
}
