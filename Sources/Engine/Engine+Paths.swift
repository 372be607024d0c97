import Packet
import Proto
import Scheduler

// The daemon's settings for a client's paths, and for any Engine's mode.
extension Engine {
    /// Client: adds or changes a path. The daemon chooses path IDs; they increase, and the ID of a removed
    /// path is never used again.
    /// - Parameters:
    ///   - name: the name of the path, which the peer uses, too.
    ///   - link: how to send on it; `nil` while that is not possible.
    ///   - others: how to send on it to other endpoints of the server; the first that answers is used. At
    ///     most 16 links count.
    ///   - capMbit: the maximum that it may carry, in Mbit/s; 0 for no cap.
    ///   - mtu: the interface's MTU in bytes.
    ///   - isSpent: whether it has used up its data for the month, which is shown to the server's operator.
    public mutating func setPath(
        _ id: UInt16, name: String = "", role pathRole: PathRole, capMbit: UInt32 = 0, link: Link?,
        others: [Link] = [], mtu: Int = 1500, isSpent: Bool = false, now: Instant
    ) {
        precondition(role == .client)
        let links = link.map { [$0] + others } ?? []
        if let index = dialer.paths.firstIndex(where: { $0.id == id }) {
            dialer.paths[index].name = name
            dialer.paths[index].role = pathRole
            dialer.paths[index].capMbit = capMbit
            dialer.paths[index].race.replace(links)
            dialer.paths[index].mtu = mtu
            dialer.paths[index].isSpent = isSpent
        } else {
            guard dialer.paths.count < Lanes.maximum else { return }
            var path = Dialer.LocalPath(
                id: id, name: name, role: pathRole, capMbit: capMbit, mtu: mtu,
                jar: CookieJar(responder: dialer.server))
            path.race.replace(links)
            path.isSpent = isSpent
            dialer.paths.append(path)
        }
        // In the middle of a search the path joins the current round at once.
        if dialer.searchingSince != nil, let index = dialer.paths.firstIndex(where: { $0.id == id }) {
            dialer.paths[index].turn = 0
            if dialer.current == nil { dialer.roundEnd = .zero }
            dialer.nextAttempt = .zero
        }
        guard let session = peers[0].session,
            let local = dialer.paths.first(where: { $0.id == id })
        else { return }
        add(local, to: session, now: now)
        touch(session)
    }

    /// Client: the link that a path uses, or would use; `nil` if it has none.
    public func link(ofPath id: UInt16) -> Link? { dialer.paths.first { $0.id == id }?.link }

    /// Client: a path was removed from the configuration.
    public mutating func removePath(_ id: UInt16, now: Instant) {
        dialer.paths.removeAll { $0.id == id }
        guard let session = peers[0].session, let index = session.pointee.paths.find(id) else { return }
        session.pointee.fail(index, &resources, now: now)
        session.pointee.removePath(at: index, pool: &resources.pool)
        touch(session)
    }

    /// The host cannot send on the path now: no carrier, no address, no route. Never called on a server,
    /// whose paths belong to the client.
    /// - Parameter remote: the endpoint that cannot be reached, which does not matter to a path that uses
    ///   another one; `nil` if no endpoint can be.
    public mutating func pathFailed(_ id: UInt16, to remote: Endpoint? = nil, now: Instant) {
        guard role == .client, let session = peers[0].session, let index = session.pointee.paths.find(id),
            remote == nil || session.pointee.paths[index].pointee.link?.remote == remote
        else { return }
        session.pointee.fail(index, &resources, now: now)
        touch(session)
    }

    /// Adds a local path to the session, or updates the session's path.
    mutating func add(_ local: Dialer.LocalPath, to session: UnsafeMutablePointer<Session>, now: Instant) {
        let known = session.pointee.paths.find(local.id)
        let index: Int
        if let known {
            index = known
            let path = session.pointee.paths[known]
            path.pointee.race = local.race
            if path.pointee.link != local.link {
                path.pointee.link = local.link
                path.pointee.mtu = PathMTU(
                    ceiling: Path.datagram(local.mtu, local.link), after: path.pointee.mtu)
                if local.link == nil {
                    session.pointee.fail(
                        known, &resources, now: now)
                } else {
                    path.pointee.liveness.nudge(now: now)
                }
            } else if local.link != nil && path.pointee.liveness.state == .down {
                // The daemon reports every change of the interface, even one that does not show in the link.
                path.pointee.liveness.nudge(now: now)
            }
        } else {
            guard session.pointee.removedPaths.admits(local.id),
                let added = session.pointee.paths.append(
                    Path(
                        id: local.id, role: local.role, link: local.link, isValidated: true, mtu: local.mtu,
                        now: now))
            else { return }
            index = added
            session.pointee.paths[added].pointee.race = local.race
        }
        let path = session.pointee.paths[index]
        path.pointee.name = local.name
        path.pointee.isSpent = local.isSpent
        let wasUsed = path.pointee.role != .never
        path.pointee.role = local.role
        path.pointee.mtu.setCeiling(Path.datagram(local.mtu, local.link), now: now)
        if wasUsed && local.role == .never {
            // Tell the peer on this path, too: there may be no other.
            path.pointee.control.farewell = path.pointee.liveness.state != .down
            session.pointee.fail(index, &resources, now: now)
        }
        path.pointee.rate.cap = local.capMbit > 0 ? Double(local.capMbit) * 125_000 : nil
        session.pointee.owed.owePreferences()
    }

    /// Changes the scheduling mode. A client's choice applies to both directions; a server's applies to its
    /// own sending until the client chooses.
    public mutating func setMode(_ mode: Mode) {
        self.mode = mode
        for index in peers.indices {
            peers[index].configuration.mode = mode
            peers[index].session?.pointee.mode = mode
        }
        announcePreferences()
    }

    /// Changes how many of the best paths carry each packet in `redundant`; 0 means all. The same precedence
    /// applies as for `setMode`.
    public mutating func setRedundantPaths(_ count: Int) {
        redundantPaths = count
        for index in peers.indices {
            peers[index].configuration.redundantPaths = count
            peers[index].session?.pointee.redundantPaths = count
        }
        announcePreferences()
    }

    private mutating func announcePreferences() {
        for index in peers.indices {
            guard let session = peers[index].session else { continue }
            if role == .client { session.pointee.owed.owePreferences() }
            touch(session)
        }
    }
}

extension Session {
    /// Whether every path that may be used has been given up, or has been probed in vain for a second.
    func hasLostAllPaths(now: Instant) -> Bool {
        for i in 0..<paths.count where paths[i].pointee.role != .never {
            switch paths[i].pointee.liveness.state {
            case .up, .suspect: return false
            case .probing: if now - paths[i].pointee.liveness.since < .seconds(1) { return false }
            case .down: break
            }
        }
        return true
    }

    /// The largest number of datagrams that any path has carried in one direction under the current keys.
    var packetsUnderKeys: UInt64 {
        var most: UInt64 = 0
        for i in 0..<paths.count {
            most = max(most, paths[i].pointee.mostPackets - paths[i].pointee.packetsBeforeKeys)
        }
        return most
    }

    /// Starts counting the datagrams sealed under the current keys, which are new.
    func beginCount() {
        for i in 0..<paths.count { paths[i].pointee.packetsBeforeKeys = paths[i].pointee.mostPackets }
    }
}

extension Path {
    /// Number of datagrams carried in the direction that has carried more.
    fileprivate var mostPackets: UInt64 { max(sent.next, received.state?.highest ?? 0) }
}
