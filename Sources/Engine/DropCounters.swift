/// Why packets and datagrams were dropped, each a counter and never a log line.
public struct DropCounters: Sendable {
    /// Datagrams that are no bondd datagrams.
    public var malformed: UInt64 = 0
    /// Datagrams for a session that does not exist.
    public var unknownSession: UInt64 = 0
    /// Datagrams for a path that does not exist and can't be made.
    public var unknownPath: UInt64 = 0
    /// Datagrams whose tag is wrong.
    public var forged: UInt64 = 0
    /// Datagrams seen before, or too old to know.
    public var replayed: UInt64 = 0
    /// Handshakes refused: wrong MAC, unknown key, stale time stamp, or not for us.
    public var handshake: UInt64 = 0
    /// Inits in order whose key is no client's.
    public var unknownKey: UInt64 = 0
    /// Inits of clients whose preshared key is of a generation that is gone.
    public var unknownSecret: UInt64 = 0
    /// Handshakes of known clients for another cipher suite.
    public var suiteMismatch: UInt64 = 0
    /// Handshakes answered with a cookie as the server is under load.
    public var cookies: UInt64 = 0
    /// Inits of a source address that has had its share while the server is under load.
    public var sourceLimited: UInt64 = 0
    /// Inits of a peer that has had its share.
    public var peerLimited: UInt64 = 0
    /// Inits and answers to inits that found no room to wait in.
    public var handshakeFull: UInt64 = 0
    /// Inner packets that are no IP packets.
    public var notIP: UInt64 = 0
    /// Inner packets whose source is not the client's.
    public var foreignSource: UInt64 = 0
    /// Packets from the TUN device whose destination belongs to no client.
    public var noRoute: UInt64 = 0
    /// Packets from the TUN device while there was no session.
    public var noSession: UInt64 = 0
    /// Packets that found the queue full.
    public var queueFull: UInt64 = 0
    /// Packets that waited for a path for over a second.
    public var expired: UInt64 = 0
    /// Packets that no path carries, as their senders were told.
    public var packetTooBig: UInt64 = 0
    /// Packets that met congestion outside and can't be marked for it (RFC 6040).
    public var congested: UInt64 = 0
    /// ACK frames that claim what can't be; each ended its session.
    public var falseAcks: UInt64 = 0
    /// Packets that found no memory.
    public var noBuffer: UInt64 = 0

    /// Nothing dropped yet.
    public init() {}
}
