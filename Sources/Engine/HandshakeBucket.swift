import Packet

/// How many handshakes pass: `burst` at once, and one every `spacing` in the long run.
struct HandshakeLimit {
    let spacing: Interval
    let burst: Int64

    /// A source that has proven its address with a cookie: 20 a second and 5 at once, as in WireGuard's kernel module
    /// (`ratelimiter.c`).
    static let source = HandshakeLimit(spacing: .milliseconds(50), burst: 5)
    /// An IPv6 site, /48 (RFC 6177), whose owner has 65,536 networks of /64: eight of them at their limit.
    static let site = HandshakeLimit(spacing: .microseconds(6250), burst: 40)
    /// A peer that has proven its static key: four agreements and a session each. Several hosts may share an invitation.
    static let peer = HandshakeLimit(spacing: .milliseconds(50), burst: 20)

    /// How far ahead of the clock a bucket that is empty lies.
    var depth: Interval { spacing * burst }
}

/// A token bucket in eight bytes: the time when it will be full again (the generic cell rate algorithm, ITU-T I.371).
struct HandshakeBucket {
    private var fullAt = Instant.zero

    /// Takes a token; false when there is none, which costs none.
    mutating func take(_ limit: HandshakeLimit, now: Instant) -> Bool {
        let next = max(fullAt, now) + limit.spacing
        guard next - now <= limit.depth else { return false }
        fullAt = next
        return true
    }
}
