import Engine
import Host
import Packet
import Runtime
import Settings

/// What happened in an Engine, in the log: bounded for each peer, because a radio link that flaps, a client
/// that means ill or a forger on the way may make several events a second.
struct EventJournal {
    /// Maximum number of a peer's lines at once; after that, one every `refill`.
    private static let most: Int64 = 20
    private static let refill = Interval.seconds(3)

    /// A path of a peer.
    private struct Spot: Hashable {
        let peer: String
        let path: UInt16
    }

    private let log: Log
    /// When each peer may have all its lines again; those that may are left out.
    private var fullAt: [String: Instant] = [:]
    /// How many lines of each were left out since the last that was written.
    private var leftOut: [String: Int] = [:]
    /// Paths in doubt: that they are up again is no more news than the doubt was.
    private var doubted: Set<Spot> = []

    init(_ log: Log) { self.log = log }

    /// Writes what happened, unless too much did.
    /// - Parameter pathName: the name of the path of that ID, if it has one here.
    mutating func note(
        _ event: EngineEvent, now: Instant, pathName: (UInt16) -> String? = { _ in nil }
    ) {
        let level = level(of: event)
        guard level >= log.level else { return }
        let peer = event.peer ?? ""
        guard level == .debug || admit(peer, now: now) else {
            leftOut[peer, default: 0] += 1
            return
        }
        if let count = leftOut.removeValue(forKey: peer) {
            log(
                .info, "events of a peer were left out of the log, because there were too many",
                ["peer": peer, "events": "\(count)"])
        }
        log(event, level: level, pathName: pathName)
    }

    private mutating func level(of event: EngineEvent) -> Log.Level {
        guard case .pathChanged(let peer, let id, let state) = event else { return Log.level(of: event) }
        let spot = Spot(peer: peer, path: id)
        switch state {
        case .suspect:
            doubted.insert(spot)
            return .debug
        case .up where doubted.remove(spot) != nil: return .debug
        case .up, .down, .probing:
            doubted.remove(spot)
            return .info
        }
    }

    private mutating func admit(_ peer: String, now: Instant) -> Bool {
        let full = max(fullAt[peer] ?? now, now)
        guard full - now <= Self.refill * (Self.most - 1) else { return false }
        // Peers come and go; those whose budget is full need not be known.
        if fullAt.count > 256 { fullAt = fullAt.filter { $0.value > now } }
        fullAt[peer] = full + Self.refill
        return true
    }
}

extension EngineEvent {
    /// The peer that it is about; nil when that is the server or not known.
    fileprivate var peer: String? {
        switch self {
        case .established(let peer, _), .closed(let peer), .pathChanged(let peer, _, _),
            .pathMoved(let peer, _, _),
            .marksIgnored(let peer, _), .marksStopped(let peer, _), .reachChanged(let peer, _),
            .suiteMismatch(let peer):
            peer
        case .enrolment(let invitation, _, _): "invitation \(invitation)"
        case .assigned, .unanswered, .versionRefused, .suiteRefused, .keyRefused, .secretRefused, .secret,
            .enrolled:
            nil
        }
    }
}
