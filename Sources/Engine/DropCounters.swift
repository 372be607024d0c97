/// Reasons for dropping packets and datagrams, each a counter and never a log line.
public struct DropCounters: Sendable {
    /// Datagrams that are not bondd's.
    public var malformed: UInt64 = 0
    /// Datagrams for a session that does not exist.
    public var unknownSession: UInt64 = 0
    /// Datagrams for a path that does not exist and cannot be added.
    public var unknownPath: UInt64 = 0
    /// Datagrams whose tag is wrong.
    public var forged: UInt64 = 0
    /// Datagrams seen before, or too old to tell.
    public var replayed: UInt64 = 0
    /// Handshakes refused: wrong MAC, unknown key, stale time stamp, or not for us.
    public var handshake: UInt64 = 0
    /// Valid inits whose key is not a client's.
    public var unknownKey: UInt64 = 0
    /// Inits of clients whose preshared key is of a generation that no longer exists.
    public var unknownSecret: UInt64 = 0
    /// Handshakes of known clients with another cipher suite.
    public var suiteMismatch: UInt64 = 0
    /// Handshakes answered with a cookie because the server is under load.
    public var cookies: UInt64 = 0
    /// Inits from a source address that exceeded its limit while the server is under load.
    public var sourceLimited: UInt64 = 0
    /// Inits of a peer that exceeded its limit.
    public var peerLimited: UInt64 = 0
    /// Inits, and answers to inits, for which there was no room in the queue.
    public var handshakeFull: UInt64 = 0
    /// Inner packets that are not IP packets.
    public var notIP: UInt64 = 0
    /// Inner packets whose source is not the client's.
    public var foreignSource: UInt64 = 0
    /// Packets from the TUN device whose destination is not a client's.
    public var noRoute: UInt64 = 0
    /// Packets from the TUN device while there was no session.
    public var noSession: UInt64 = 0
    /// Packets that arrived at a full queue.
    public var queueFull: UInt64 = 0
    /// Packets that waited for a path too long (`Session.longestWait`).
    public var expired: UInt64 = 0
    /// Packets that fit no path; their senders were told.
    public var packetTooBig: UInt64 = 0
    /// Packets marked as congested outside that cannot carry the mark inside (RFC 6040).
    public var congested: UInt64 = 0
    /// ACK frames with impossible claims; each ended its session.
    public var falseAcks: UInt64 = 0
    /// Packets of clients that send faster than they may.
    public var overRate: UInt64 = 0
    /// Packets for which there was no memory.
    public var noBuffer: UInt64 = 0

    /// All counters at zero.
    public init() {}
}
