import Engine
import Host
import Packet
import Runtime
import Settings

/// Logs the events of an Engine, at a bounded rate for each peer, because a flapping radio link, a malicious
/// client or a forger on the way may cause several events a second.
struct EventJournal {
    /// The burst of lines for each peer; after that, one every `refill`.
    private static let most: Int64 = 20
    private static let refill = Interval.seconds(3)

    /// A path of a peer.
    private struct Spot: Hashable {
        let peer: String
        let path: UInt16
    }

    private let log: Log
    /// When each peer's burst is full again; peers whose burst is full are left out.
    private var fullAt: [String: Instant] = [:]
    /// The number of lines left out for each peer since its last line.
    private var leftOut: [String: Int] = [:]
    /// Suspect paths. Their recovery is logged no higher than the suspicion.
    private var doubted: Set<Spot> = []

    init(_ log: Log) { self.log = log }

    /// Logs an event, unless its peer has used up its lines.
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
                .info, "events of a peer were not logged, because there were too many",
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
        // Peers come and go; those whose burst is full need not be stored.
        if fullAt.count > 256 { fullAt = fullAt.filter { $0.value > now } }
        fullAt[peer] = full + Self.refill
        return true
    }
}

extension EngineEvent {
    /// The peer that it concerns; nil if that is the server, or unknown.
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
