import Packet

/// A limit on handshakes: `burst` at once, and one per `spacing` in the long run.
struct HandshakeLimit {
    let spacing: Interval
    let burst: Int64

    /// For a source that has proven its address with a cookie: 20 a second and 5 at once, as in WireGuard's
    /// kernel module (`ratelimiter.c`).
    static let source = HandshakeLimit(spacing: .milliseconds(50), burst: 5)
    /// For an IPv6 site, a /48 (RFC 6177), whose owner has 65,536 networks of /64: eight times a source's
    /// limit.
    static let site = HandshakeLimit(spacing: .microseconds(6250), burst: 40)
    /// For a peer that has proven its static key; each handshake costs four key agreements and a session.
    /// Several hosts may share an invitation.
    static let peer = HandshakeLimit(spacing: .milliseconds(50), burst: 20)

    /// How far ahead of the clock an empty bucket's time lies.
    var depth: Interval { spacing * burst }
}

/// A token bucket in eight bytes: the time at which it will be full again (the generic cell rate algorithm,
/// ITU-T I.371).
struct HandshakeBucket {
    private var fullAt = Instant.zero

    /// Takes a token; returns false, at no cost, if there is none.
    mutating func take(_ limit: HandshakeLimit, now: Instant) -> Bool {
        let next = max(fullAt, now) + limit.spacing
        guard next - now <= limit.depth else { return false }
        fullAt = next
        return true
    }
}
