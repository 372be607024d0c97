/// A token bucket without a queue: a frame that exceeds the tokens left is dropped.
public struct Policer: Equatable, Sendable {
    /// Rate at which the bucket fills, in bits per second.
    public var rate: UInt64
    /// Depth of the bucket, in bytes.
    public var burst: Int

    /// A bucket of `burst` bytes that fills at `rate` bits per second, at least 1.
    public init(rate: UInt64, burst: Int) { (self.rate, self.burst) = (max(rate, 1), burst) }
}

/// The state of a policer: the generic cell rate algorithm (ITU-T I.371), which is a token bucket without
/// counting tokens.
struct PolicerState: Sendable {
    /// When the bucket is full again.
    private var fullAt: UInt64 = 0

    /// Whether a frame of `bytes` passes at `now`.
    mutating func admits(_ bytes: Int, at now: UInt64, _ policer: Policer) -> Bool {
        func time(_ bytes: Int) -> UInt64 { UInt64(bytes) * 8_000_000_000 / policer.rate }
        let after = max(fullAt, now) + time(bytes)
        guard after - now <= time(policer.burst) else { return false }
        fullAt = after
        return true
    }
}
