import Messages
import Packet
import Settings
import Synchronization

/// The user that bondd-control runs as, by which its requests are told from those of others in the socket's group.
final class ControlUser: Sendable {
    private let name: String
    private let known: Mutex<(account: Account?, lookedUpAt: Instant)>

    /// How long an answer to "there is no such user" holds: a package may make the user while bondd runs.
    private static let patience = Interval.seconds(1)

    init(named name: String, now: Instant) {
        self.name = name
        known = Mutex((Account(named: name), now))
    }

    /// The user's group, which may connect; nil when there is no such user, or its group is root's.
    var group: UInt32? {
        known.withLock { $0.account.flatMap { $0.group == 0 ? nil : $0.group } }
    }

    /// Whether it is the user of that number.
    func has(_ user: UInt32, now: Instant = DataPlane.clock()) -> Bool {
        known.withLock { known in
            if known.account == nil && now - known.lookedUpAt >= Self.patience {
                known = (Account(named: name), now)
            }
            return known.account?.user == user
        }
    }

    /// Why a peer may not ask for that, one sentence; nil when it may.
    func refusal(of request: Request, from peer: Peer) -> String? {
        if peer.isPrivileged { return nil }
        switch request.audience {
        case .everybody: return nil
        case .control:
            if has(peer.user) { return nil }
            return
                "user \(peer.user) may not ask that, as it is for the user \(name); if bondd-control runs as another user, say so: bondd run --control-user NAME"
        case .root: return "only root may do that; run it as root"
        }
    }
}

extension Request {
    /// Who may ask something.
    enum Audience {
        /// Who can connect at all: root and the members of the socket's group.
        case everybody
        /// Root and bondd-control.
        case control
        /// Root.
        case root
    }

    /// Who may ask this.
    var audience: Audience {
        switch self {
        case .status, .ping: .everybody
        case .usage, .handOver, .awaitEnrolments, .settle, .carry, .services: .control
        case .set, .reload, .unlock, .bench, .revoke: .root
        }
    }
}
