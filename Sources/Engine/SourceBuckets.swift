import Packet
import Proto

/// A token bucket for each source address, in a fixed amount of memory.
///
/// A count-min sketch with conservative update (Estan and Varghese, 2002) over buckets like
/// `HandshakeBucket`'s: a source takes from one bucket in each of four rows, and has a token if any of the
/// four has one. Nothing is ever evicted, so a flood of addresses resets no bucket, and no source exceeds its
/// rate. A source that shares all four buckets with flooding sources, which the secret key makes a matter of
/// chance, is refused until the salt changes.
struct SourceBuckets {
    private static let rows = 4
    /// 2^11 buckets a row, 64 KiB in all: with 200 flooding sources, one in 10,000 others is refused.
    private static let rowBits: UInt64 = 11
    /// How often the salt changes. A flooding source gains one more burst each time.
    private static let saltLifetime = Interval.seconds(60)

    private var fullAt: [Instant]
    private let hash: KeyedHash

    /// Buckets at places that `hash` chooses; a client's has none, and is never asked for a token.
    init(_ hash: KeyedHash, isServer: Bool) {
        self.hash = hash
        fullAt = isServer ? Array(repeating: .zero, count: Self.rows << Self.rowBits) : []
    }

    /// Takes a token of the source, by IPv4 address or IPv6 /64, and of its IPv6 site.
    mutating func take(_ source: IPAddress, now: Instant) -> Bool {
        guard source.family == .v6 else { return take(source, prefix: 32, .source, now: now) }
        return take(source, prefix: 64, .source, now: now) && take(source, prefix: 48, .site, now: now)
    }

    private mutating func take(_ source: IPAddress, prefix: Int, _ limit: HandshakeLimit, now: Instant)
        -> Bool
    {
        let salt = now.nanoseconds / UInt64(Self.saltLifetime.nanoseconds)
        let hash = hash(source, prefix: prefix, salt: salt)
        var emptiest = Instant.never
        for row in 0..<Self.rows { emptiest = min(emptiest, fullAt[Self.place(hash, row)]) }
        let next = max(emptiest, now) + limit.spacing
        guard next - now <= limit.depth else { return false }
        for row in 0..<Self.rows {
            let place = Self.place(hash, row)
            fullAt[place] = max(fullAt[place], next)
        }
        return true
    }

    private static func place(_ hash: UInt64, _ row: Int) -> Int {
        let column = hash >> (UInt64(row) * rowBits) & (1 << rowBits - 1)
        return row << Int(rowBits) | Int(column)
    }
}
