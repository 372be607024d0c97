import Packet
import Proto

/// Server: admitted inits waiting to be opened, which takes two to four key agreements each. A few are opened
/// per turn, so that sessions' packets get their turn in between.
struct HandshakeInbox: ~Copyable {
    /// Number opened per turn: about 1 to 2 ms of work.
    static let perTurn = 16
    private static let capacity = 128
    /// Number of places for inits without a cookie: a flood with forged addresses leaves the rest to those
    /// that have one.
    private static let withoutCookie = 64

    private var waiting: DatagramRing<InitArrival>
    private var turn = Instant.zero
    private var openedInTurn = 0

    /// An empty inbox; a client's has no memory.
    init(isServer: Bool) { waiting = DatagramRing(capacity: isServer ? Self.capacity : 0) }

    /// Whether there is room for an init without a cookie.
    var hasRoomWithoutCookie: Bool { waiting.count < Self.withoutCookie }

    /// Adds an init; returns false if there is not enough room.
    mutating func append(_ datagram: UnsafeRawBufferPointer, _ arrival: InitArrival) -> Bool {
        waiting.append(datagram, arrival)
    }

    /// The next init to open in the turn at `now`, valid until the next `append`; `nil` if there is none or
    /// the turn has had its share.
    mutating func next(now: Instant) -> (datagram: UnsafeRawBufferPointer, arrival: InitArrival)? {
        if now != turn { (turn, openedInTurn) = (now, 0) }
        guard openedInTurn < Self.perTurn, let (datagram, arrival) = waiting.first else { return nil }
        openedInTurn += 1
        waiting.removeFirst()
        return (datagram, arrival)
    }

    /// When the next turn may begin; `.never` if no init waits.
    var due: Instant { waiting.isEmpty ? .never : turn + .microseconds(1) }
}
