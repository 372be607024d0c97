import ControlProtocol
import Packet
import Settings
import Synchronization

/// The user that bondd-control runs as, by which its requests are distinguished from those of other members
/// of the socket's group.
final class ControlUser: Sendable {
    private let name: String
    private let known: Mutex<(account: Account?, lookedUpAt: Instant)>

    /// The time until a missing user is looked up again: a package may add the user while bondd runs.
    private static let patience = Interval.seconds(1)

    init(named name: String, now: Instant) {
        self.name = name
        known = Mutex((Self.find(name), now))
    }

    /// The user's primary group, which may connect; nil if there is no such user, or the group is root's.
    var group: UInt32? {
        known.withLock { $0.account.flatMap { $0.group == 0 ? nil : $0.group } }
    }

    /// Whether this user ID is bondd-control's.
    func has(_ user: UInt32, now: Instant = Instant.now) -> Bool {
        known.withLock { known in
            if known.account == nil && now - known.lookedUpAt >= Self.patience {
                known = (Self.find(name), now)
            }
            return known.account?.user == user
        }
    }

    /// A number needs no entry in the user database: where bondd runs in a container, bondd-control's user is
    /// the host's.
    private static func find(_ name: String) -> Account? {
        Account(named: name) ?? UInt32(name).map { Account(name: name, user: $0, group: 0) }
    }

    /// Why a peer may not make this request, one sentence; nil if it may.
    func refusal(of request: Request, from peer: Peer) -> String? {
        if peer.isPrivileged { return nil }
        switch request.audience {
        case .everybody: return nil
        case .control:
            if has(peer.user) { return nil }
            return
                "user \(peer.user) may not ask that, only the user \(name) may; if bondd-control runs as another user, start bondd with --control-user NAME"
        case .root: return "only root may do that; run it as root"
        }
    }
}

extension Request {
    /// Who may make a request.
    enum Audience {
        /// Everybody who can connect: root and the members of the socket's group.
        case everybody
        /// Root and bondd-control.
        case control
        /// Root.
        case root
    }

    /// Who may make this request.
    var audience: Audience {
        switch self {
        case .status, .ping: .everybody
        case .usage, .handOver, .awaitEnrolments, .settle, .carry, .services: .control
        case .set, .reload, .unlock, .bench, .revoke: .root
        }
    }
}
