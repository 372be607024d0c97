import Packet

/// Limits how often strangers are told that their key is unknown.
struct Strangers {
    /// Some clients' retries at once; one datagram of 40 bytes each.
    private static let perSecond = 32

    private var second = Instant.zero
    private var count = 0

    /// Whether one more stranger may be told now.
    mutating func admit(now: Instant) -> Bool {
        if now - second >= .seconds(1) {
            second = now
            count = 0
        }
        count += 1
        return count <= Self.perSecond
    }
}
