import Packet
import Proto
import Scheduler

// A client's search for the server's endpoint that answers, on each path (see `LinkRace`).
extension Engine {
    /// RFC 8305's Connection Attempt Delay, by its section 5 at least 100 ms: the first endpoint has so long to answer before
    /// the next is tried.
    private static var stagger: Interval { .milliseconds(100) }

    /// Begins a round of inits: to every link of every path, in turn.
    mutating func beginRound(until end: Instant) {
        dialer.roundEnd = end
        for index in dialer.paths.indices { dialer.paths[index].turn = 0 }
    }

    /// Sends the init under way by each path's next link. New keys alone go where data goes.
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

    /// The server has answered by `link`: the path of that socket keeps to it.
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

    /// An authentic datagram came by `link` on a path that is not up: the path keeps to that link. While a path is up, nothing
    /// moves it.
    mutating func settle(_ path: UnsafeMutablePointer<Path>, on link: Link) {
        guard !path.pointee.liveness.isUp, path.pointee.race.answered(by: link),
            let local = dialer.paths.firstIndex(where: { $0.id == path.pointee.id })
        else { return }
        dialer.paths[local].race = path.pointee.race
        guard let first = path.pointee.race.first, path.pointee.link != first else { return }
        path.pointee.link = first
        path.pointee.mtu = PathMTU(ceiling: Path.datagram(dialer.paths[local].mtu, first))
    }
}

extension Engine {
    /// Client: whether the server hears a path whose answers do not come back.
    public func isHeardOnly(ofPath id: UInt16, now: Instant) -> Bool {
        guard let session = peers[0].session, let index = session.pointee.paths.find(id) else { return false }
        let path = session.pointee.paths[index]
        return path.pointee.isDeaf(now: now) && now - path.pointee.confirmedAt < .seconds(10)
    }
}

extension Path {
    /// Whether nothing comes back on the path though it was asked for: PINGs have been out for a second and more, and all of
    /// their answers' time is up. One that was never heard is deaf from the start.
    func isDeaf(now: Instant) -> Bool {
        guard received.map != nil else { return true }
        return askedAt > lastHeard && now - askedAt > max(.seconds(1), rtt.answerTimeout * 3)
    }

    /// A hiccup is no reason to ask other endpoints than the one that was heard only just.
    private static var patience: Interval { .seconds(1) }

    /// Client: the link for a probe.
    mutating func probeLink(now: Instant) -> Link? {
        switch liveness.state {
        case .up, .suspect: return link
        case .probing, .down:
            return received.map != nil && now - lastHeard < Self.patience ? link : race.next()
        }
    }
}
