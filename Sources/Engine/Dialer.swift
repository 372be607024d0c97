import Packet
import Proto
import Scheduler

/// The client's search for a session: an init on every path at once, repeated until one is answered.
struct Dialer: ~Copyable {
    /// A path over which the client can send.
    struct LocalPath {
        let id: UInt16
        var name: String
        var role: PathRole
        var capMbit: UInt32
        var isSpent = false
        /// The links to the server's endpoints.
        var race = LinkRace()
        /// Number of links that have had this round's init.
        var turn = 0
        /// The interface's MTU in bytes.
        var mtu: Int
        var jar: CookieJar
        var lastMac1: Mac?
        var answeredCookie = false
        /// When an init last left by the path.
        var lastInit = Instant.zero

        /// The link to use; `nil` if there is none.
        var link: Link? { race.first }
    }

    /// How long every path sends each init of a search; after that, paths whose bytes are expensive send one
    /// per `dearInterval`.
    static let patience = Interval.seconds(10)
    /// The same for a primary path.
    static let longPatience = Interval.seconds(600)
    /// As WireGuard's REKEY_TIMEOUT: an init of 236 bytes over IPv6 at this interval is 4 MB a day.
    static let dearInterval = Interval.seconds(5)

    /// Whether a path sends only one init per `dearInterval`, to each of its links in turn.
    func isDear(_ path: LocalPath, now: Instant) -> Bool {
        guard let since = searchingSince else { return false }
        return now - since > (path.role == .primary ? Self.longPatience : Self.patience)
    }

    /// The paths that the daemon has added.
    var paths: [LocalPath] = []
    /// The current init. It is repeated unchanged for 5 s: a new one would make the server forget its answer
    /// to this one, which may be in flight.
    var current: UnsafeMutablePointer<Attempt>?
    /// When the next init leaves; `.never` while none is wanted.
    var nextAttempt = Instant.zero
    /// When the next round of inits begins.
    var roundEnd = Instant.zero
    /// When this search began; `nil` if there is none.
    var searchingSince: Instant?
    /// Whether the daemon was told that the handshake is unanswered.
    var hasComplained = false
    /// When the daemon was last told that the server refused us.
    var refusedAt: Instant?
    var lastTimestamp = Timestamp.zero
    /// Index in `ClientSecrets.newestFirst` of the preshared key in use.
    var secretInUse = 0
    let server: PublicKey

    init(server: PublicKey) { self.server = server }

    deinit {
        current?.deinitialize(count: 1)
        current?.deallocate()
    }

    /// Starts a search at once, unless one is running.
    mutating func restart() {
        if searchingSince == nil { (nextAttempt, roundEnd) = (.zero, .zero) }
    }
}

/// An init that was sent.
struct Attempt: ~Copyable {
    let initiator: Initiator
    let startedAt: Instant
    /// Whether it asks to continue the current session.
    let continues: Bool
    /// The preshared key that its answer must use.
    let secret: SharedSecret
    /// Whether it was sent more than once: then its answer is not a round-trip sample (Karn's algorithm).
    var isRepeated = false
}
