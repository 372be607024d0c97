import Packet
import Scheduler

/// A timed event of a path. The deadline of each is stated once, in `Session.deadline`, which decides both
/// whether the event is due and when the session wakes for it. So a session cannot miss an event, and cannot
/// wake without one.
///
/// (quinn's timer.rs has a table that is set and stopped. Here most deadlines move with each datagram, so
/// they are computed from the path's state when they are asked for.)
enum PathTimer: Int, CaseIterable {
    /// An ACK that has waited for more datagrams.
    case acknowledgement
    /// A PATH_CHALLENGE to the peer's new address, or the end of the attempt.
    case challenge
    /// A probe of the path's MTU, or the loss of one.
    case mtuProbe
    /// The MTU of a new path is trusted, so that waiting packets may use it.
    case mtuTrust
    /// A server's token that shows whether the client is still there.
    case presenceToken
    /// No token was echoed for too long.
    case presenceEnd
    /// Something was unanswered for too long: the path is in doubt.
    case silence
    /// A path in doubt has not answered: it is down.
    case failure
    /// A probe of a path that is not up.
    case probe
    /// A PING that asks for the fate of the last data.
    case tailProbe
    /// A PING on a path that has nothing to send.
    case idleProbe

    /// The raw values of all timers. (Iterating over `allCases` allocates in debug builds, which the
    /// allocation test forbids.)
    static let numbers = 0..<allCases.count
}

extension Session {
    /// The pause between two challenges to one address.
    static var challengeInterval: Interval { .milliseconds(100) }

    /// When a timer of the path at `index` is due; `.never` while it is stopped.
    /// - Parameter rank: that of the best role that is up, by `bestRank`.
    func deadline(_ timer: PathTimer, of index: Int, rank: UInt8, now: Instant) -> Instant {
        let path = paths[index]
        switch timer {
        case .acknowledgement: return path.pointee.received.ackDue
        case .challenge: return path.pointee.challenge.map { $0.sentAt + Self.challengeInterval } ?? .never
        default: break
        }
        guard path.pointee.link != nil, path.pointee.role != .never else { return .never }
        switch timer {
        case .acknowledgement, .challenge: return .never
        case .mtuProbe: return mtuProbeDue(on: index, now: now)
        case .mtuTrust:
            let trustedAt = path.pointee.mtu.trustedAt
            return sendQueue.count > 0 && trustedAt > now ? trustedAt : .never
        case .presenceToken: return tokenDue(on: index, now: now)
        case .presenceEnd:
            // For a path that is not up, liveness decides.
            guard !isClient, path.pointee.liveness.isUp else { return .never }
            return path.pointee.presence.closesAt(path.pointee.rtt)
        case .silence:
            guard path.pointee.liveness.isUp, let sentAt = path.pointee.sent.oldestUnanswered() else {
                return .never
            }
            return sentAt + patience(with: index, rank: rank, now: now)
        case .failure: return path.pointee.liveness.givesUpAt(path.pointee.rtt)
        case .probe: return mayProbe(path, now: now) ? path.pointee.liveness.probeDue : .never
        case .tailProbe: return path.pointee.tailProbeDue()
        case .idleProbe: return path.pointee.liveness.isUp ? path.pointee.nextIdleProbe : .never
        }
    }

    /// Whether a timer of the path at `index` is due.
    func isDue(_ timer: PathTimer, of index: Int, now: Instant) -> Bool {
        // Only patience depends on the rank.
        deadline(timer, of: index, rank: timer == .silence ? paths.bestRank : 0, now: now) <= now
    }

    /// When the session wants to be serviced next although nothing happens to it.
    mutating func nextDeadline(now: Instant) -> Instant {
        var next = min(delivery.nextDeadline(), paths.nextTransmission(now: now), correction.due)
        // Packets that no throttle holds wait for a path, whose own time comes.
        let ready = sendQueue.readyAt
        if ready > now { next = min(next, ready + Throttle.quantum) }
        if hasGrown { next = min(next, lastData + Self.idleTime) }
        if paths.isAnyUp { next = min(next, owed.nextDeadline) }
        next = min(next, keys.retirement)
        let rank = paths.bestRank
        for i in 0..<paths.count {
            next = min(next, nextDeadline(ofPath: i, rank: rank, now: now))
        }
        return next
    }

    private func nextDeadline(ofPath index: Int, rank: UInt8, now: Instant) -> Instant {
        var next = Instant.never
        for number in PathTimer.numbers {
            guard let timer = PathTimer(rawValue: number) else { continue }
            next = min(next, deadline(timer, of: index, rank: rank, now: now))
        }
        return next
    }

    /// A server probes only where the client was proven to be, and not for long: the client finds out whether
    /// a path comes back, and may have removed it.
    private func mayProbe(_ path: UnsafeMutablePointer<Path>, now: Instant) -> Bool {
        isClient || path.pointee.isValidated && now - path.pointee.lastHeard < .seconds(10)
    }
}
