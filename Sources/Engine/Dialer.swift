import Packet
import Proto
import Scheduler

/// The client's search for a session: an init on every path at once, again until one is answered.
struct Dialer: ~Copyable {
    /// A way that the client can send on.
    struct LocalPath {
        let id: UInt16
        var name: String
        var role: PathRole
        var capMbit: UInt32
        var isSpent = false
        /// The links to the server's endpoints.
        var race = LinkRace()
        /// How many of them have had this round's init.
        var turn = 0
        /// The interface's MTU in bytes.
        var mtu: Int
        var jar: CookieJar
        var lastMac1: Mac?
        var answeredCookie = false
        /// When an init last left by it.
        var lastInit = Instant.zero

        /// The link to use; nil while there is none.
        var link: Link? { race.first }
    }

    /// How long every path gets each init of a search; after that those whose bytes are dear get one in `dearInterval`.
    static let patience = Interval.seconds(10)
    /// How long a primary path gets each of them.
    static let longPatience = Interval.seconds(600)
    /// As WireGuard's REKEY_TIMEOUT: an init of 236 bytes over IPv6 that often is 4 MB a day.
    static let dearInterval = Interval.seconds(5)

    /// Whether a path has one init in `dearInterval` alone, to each of its links in turn.
    func isDear(_ path: LocalPath, now: Instant) -> Bool {
        guard let since = searchingSince else { return false }
        return now - since > (path.role == .primary ? Self.longPatience : Self.patience)
    }

    /// The paths that the daemon has given.
    var paths: [LocalPath] = []
    /// The init under way. It is repeated unchanged for 5 s: another one would make the server forget what it answered
    /// to this one, whose answer may be on its way.
    var current: UnsafeMutablePointer<Attempt>?
    /// When the next init leaves; `.never` while none is wanted.
    var nextAttempt = Instant.zero
    /// When the next round of inits begins.
    var roundEnd = Instant.zero
    /// When this search began; nil when there is none.
    var searchingSince: Instant?
    /// Whether the daemon was told that nobody answers.
    var hasComplained = false
    /// When the daemon was last told that the server refuses us.
    var refusedAt: Instant?
    var lastTimestamp = Timestamp.zero
    /// Which of the keys that the server gave is used, by its place in `ClientSecrets.newestFirst`.
    var secretInUse = 0
    let server: PublicKey

    init(server: PublicKey) { self.server = server }

    deinit {
        current?.deinitialize(count: 1)
        current?.deallocate()
    }

    /// Starts a search at once, unless one is under way.
    mutating func restart() {
        if searchingSince == nil { (nextAttempt, roundEnd) = (.zero, .zero) }
    }
}

/// One init that was sent.
struct Attempt: ~Copyable {
    let initiator: Initiator
    let startedAt: Instant
    /// Whether it asks to go on with the present session.
    let continues: Bool
    /// Which preshared key its answer must be made with.
    let secret: SharedSecret
    /// Whether it was sent more than once: then its answer tells no round-trip time (Karn's algorithm).
    var isRepeated = false
}
