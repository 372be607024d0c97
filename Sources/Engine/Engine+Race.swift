import Packet
import Proto
import Scheduler

// A client's search, on each path, for an endpoint of the server that answers (see `LinkRace`).
extension Engine {
    /// RFC 8305's Connection Attempt Delay, at least 100 ms according to its section 5: how long an endpoint
    /// has to answer before the next is tried.
    private static var stagger: Interval { .milliseconds(100) }

    /// Begins a round of inits: to every link of every path, in turn.
    mutating func beginRound(until end: Instant) {
        dialer.roundEnd = end
        for index in dialer.paths.indices { dialer.paths[index].turn = 0 }
    }

    /// Sends the current init by each path's next link. An init for new keys alone uses only the link that
    /// carries data.
    mutating func sendRound(toAll: Bool, now: Instant) {
        var isOver = true
        var most = 1
        for index in dialer.paths.indices {
            let links = dialer.paths[index].race.links
            let count = toAll ? links.count : min(links.count, 1)
            let turn = dialer.paths[index].turn
            guard turn < count else { continue }
            if dialer.isDear(dialer.paths[index], now: now) {
                dialer.paths[index].turn = count
                guard now - dialer.paths[index].lastInit >= Dialer.dearInterval,
                    let link = dialer.paths[index].race.next()
                else { continue }
                sendInit(on: index, by: link, now: now)
                continue
            }
            sendInit(on: index, by: links[turn], now: now)
            dialer.paths[index].turn += 1
            if turn + 1 < count { isOver = false }
            most = max(most, count)
        }
        let pause = min(Self.stagger, Interval(nanoseconds: Interval.seconds(1).nanoseconds / Int64(most)))
        dialer.nextAttempt = isOver ? dialer.roundEnd : min(dialer.roundEnd, now + pause)
    }

    /// The server has answered by `link`: the path with that socket stays on it.
    /// - Returns: that path's ID.
    mutating func settle(on link: Link) -> UInt16? {
        guard
            let index = dialer.paths.firstIndex(where: {
                $0.race.links.contains { $0.socket == link.socket }
            })
        else { return nil }
        _ = dialer.paths[index].race.answered(by: link)
        return dialer.paths[index].id
    }

    /// Settles the path on the link that was shown to work, if there is one.
    mutating func settle(_ path: UnsafeMutablePointer<Path>) {
        guard let link = path.pointee.proven else { return }
        path.pointee.proven = nil
        guard path.pointee.race.answered(by: link),
            let local = dialer.paths.firstIndex(where: { $0.id == path.pointee.id })
        else { return }
        dialer.paths[local].race = path.pointee.race
        guard let first = path.pointee.race.first, path.pointee.link != first else { return }
        path.pointee.link = first
        path.pointee.mtu = PathMTU(ceiling: Path.datagram(dialer.paths[local].mtu, first))
    }
}

extension Engine {
    /// Client: whether the server hears a path on which its answers do not arrive.
    public func isHeardOnly(ofPath id: UInt16, now: Instant) -> Bool {
        guard let session = peers[0].session, let index = session.pointee.paths.find(id) else { return false }
        let path = session.pointee.paths[index]
        return path.pointee.isDeaf(now: now) && now - path.pointee.confirmedAt < .seconds(10)
    }
}

extension Path {
    /// Whether the path is silent although it was probed: PINGs have been unanswered for at least a second,
    /// and longer than their answers may take. A path that was never heard is deaf from the start.
    func isDeaf(now: Instant) -> Bool {
        guard received.state != nil else { return true }
        return askedAt > lastHeard && now - askedAt > max(.seconds(1), rtt.answerTimeout * 3)
    }

    /// Client: whether the path is looking for a link that works.
    var isSeeking: Bool { race.isOpen && (liveness.state == .probing || liveness.state == .down) }

    /// Client: whether the PONG with this token, which came by `link`, brings the path nearer to being up.
    /// While there are several links to choose from, only a link that works both ways does, and the path
    /// settles on it.
    mutating func isProven(by token: UInt64, from link: Link, now: Instant) -> Bool {
        guard isSeeking else { return true }
        guard race.wasPinged(token, by: link) else { return false }
        prove(link, now: now)
        return true
    }

    /// Client: a datagram that came by `link` shows that it works.
    mutating func prove(_ link: Link, now: Instant) {
        guard isSeeking else { return }
        (proven, provenAt) = (link, now)
    }

    /// A brief interruption is not a reason to try endpoints other than the one that has just worked.
    /// (Packets received from there are not enough: the server may be heard on a link by which it hears
    /// nothing.)
    private static var patience: Interval { .seconds(1) }

    /// Client: the link for a probe.
    mutating func probeLink(now: Instant) -> Link? {
        switch liveness.state {
        case .up, .suspect: return link
        case .probing: return now - provenAt < Self.patience ? link : race.next()
        case .down: return now - max(provenAt, liveness.since) < Self.patience ? link : race.next()
        }
    }
}
