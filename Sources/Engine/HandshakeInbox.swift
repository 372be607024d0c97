import Packet
import Proto

/// Server: inits that the gatekeeper has let in and that wait to be opened, which takes two to four agreements each. They
/// are opened a few a turn, so that packets of sessions have their turn between them.
struct HandshakeInbox: ~Copyable {
    /// How many are opened in a turn: some 1 to 2 ms.
    static let perTurn = 16
    private static let capacity = 128
    /// How many places those have that brought no cookie: a flood with forged addresses leaves the rest to those with one.
    private static let withoutCookie = 64

    private var waiting: DatagramRing<InitArrival>
    private var turn = Instant.zero
    private var openedInTurn = 0

    /// An empty inbox, a client's without any memory.
    init(isServer: Bool) { waiting = DatagramRing(capacity: isServer ? Self.capacity : 0) }

    /// Whether there is room for an init that brought no cookie.
    var hasRoomWithoutCookie: Bool { waiting.count < Self.withoutCookie }

    /// Adds an init; false when there is no room for it.
    mutating func append(_ datagram: UnsafeRawBufferPointer, _ arrival: InitArrival) -> Bool {
        waiting.append(datagram, arrival)
    }

    /// The next init to open in the turn at `now`, until the next `append`; nil when there is none, or when the turn has had
    /// its share.
    mutating func next(now: Instant) -> (datagram: UnsafeRawBufferPointer, arrival: InitArrival)? {
        if now != turn { (turn, openedInTurn) = (now, 0) }
        guard openedInTurn < Self.perTurn, let (datagram, arrival) = waiting.first else { return nil }
        openedInTurn += 1
        waiting.removeFirst()
        return (datagram, arrival)
    }

    /// When the next turn may begin; `.never` when nothing waits.
    var due: Instant { waiting.isEmpty ? .never : turn + .microseconds(1) }
}
