import Packet

/// Whether the server is under load: more than 256 inits in a second. A handshake takes about 150 µs, so that
/// is about 4 % of a core. Above it an init needs a cookie, and a token of its source (`SourceBuckets`).
struct HandshakeAdmission {
    static let perSecond = 256

    private var second: UInt64 = 0
    private var count = 0

    /// Counts a handshake whose MAC1 is right.
    /// - Returns: whether it must bring a cookie.
    mutating func isUnderLoad(now: Instant) -> Bool {
        let current = now.nanoseconds / 1_000_000_000
        if current != second {
            second = current
            count = 0
        }
        count += 1
        return count > Self.perSecond
    }
}
