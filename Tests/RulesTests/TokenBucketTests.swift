import LinkModel
import Packet
import Testing

@testable import Rules

@Suite struct TokenBucketTests {
    private static let start = Instant(nanoseconds: 5_000_000_000)

    /// A taker of all available tokens gets exactly the rate, however often it asks.
    @Test(
        arguments: [1, 3, 1000, 1_048_576, 12_345_678_901] as [UInt64],
        [1, 7, 1_000_003, 50_000_000, 3_000_000_000] as [Int64])
    func nothingIsLostOrWon(_ rate: UInt64, _ step: Int64) {
        var bucket = TokenBucket(rate: rate, burst: 60 * rate, at: Self.start)
        var now = Self.start
        bucket.take(bucket.tokens(at: now))
        var taken: UInt64 = 0
        let steps = min(100_000, 50_000_000_000 / step)
        for _ in 0..<steps {
            now = now + Interval(nanoseconds: step)
            let there = bucket.tokens(at: now)
            bucket.take(there)
            taken += UInt64(there)
        }
        #expect(UInt128(taken) == UInt128(rate) * UInt128(steps * step) / 1_000_000_000)
    }

    /// A limit of 1 MiB per second: the amount that passes in any 10 s after the burst.
    @Test func aMebibyteASecondIsOne() {
        var bucket = TokenBucket(rate: 1 << 20, at: Self.start)
        var now = Self.start
        var total = 0
        while now < Self.start + .seconds(11) {
            if now >= Self.start + .seconds(1) { total += bucket.tokens(at: now) }
            bucket.take(bucket.tokens(at: now))
            now = max(bucket.ready(for: 16384, at: now), now + .microseconds(1))
        }
        #expect(abs(Double(total) / Double(10 << 20) - 1) < 0.01)
    }

    @Test(arguments: [UInt64(1), 2, 3, 4])
    func isWhatExactArithmeticSays(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for round in 0..<300 {
            var rate = UInt64.random(
                in: 1...(UInt64(1) << UInt64.random(in: 1...40, using: &random)), using: &random)
            var now = Self.start
            var bucket = TokenBucket(
                rate: rate, burst: UInt64.random(in: 0...rate * 80, using: &random), at: now)
            // Billionths of a token.
            var level = Int128(bucket.burst) * 1_000_000_000
            for _ in 0..<100 {
                let pause = Int64.random(
                    in: 0...(1 << Int64.random(in: 1...40, using: &random)), using: &random)
                now = now + Interval(nanoseconds: pause)
                level = min(level + Int128(rate) * Int128(pause), Int128(bucket.burst) * 1_000_000_000)
                let there = Int(max(0, level) / 1_000_000_000)
                try #require(bucket.tokens(at: now) == there, "seed \(seed), round \(round)")
                switch Int.random(in: 0..<5, using: &random) {
                case 0:
                    let count =
                        Int.random(in: 0...there + 1, using: &random) * Int.random(in: 0...2, using: &random)
                    bucket.take(count)
                    level -= Int128(count) * 1_000_000_000
                case 1:
                    let count = Int.random(in: 0...Int(bucket.burst) * 2, using: &random)
                    let fits = there >= min(count, Int(bucket.burst))
                    try #require(bucket.takeIfThere(count, at: now) == fits)
                    if fits { level -= Int128(count) * 1_000_000_000 }
                case 2:
                    let count = Int.random(in: 0...Int(bucket.burst), using: &random)
                    let ready = bucket.ready(for: count, at: now)
                    var early = bucket
                    try #require(bucket.tokens(at: ready) >= count && ready >= now)
                    level = min(
                        level + Int128(rate) * Int128((ready - now).nanoseconds),
                        Int128(bucket.burst) * 1_000_000_000)
                    if ready > now {
                        try #require(
                            early.tokens(at: ready - Interval(nanoseconds: 1)) < count, "as early as can be")
                    }
                    now = ready
                case 3:
                    rate = UInt64.random(in: 1...(1 << 40), using: &random)
                    bucket.set(rate: rate, at: now)
                    level = min(level, Int128(rate) * 1_000_000_000)
                default: break
                }
            }
        }
    }

    @Test func burstsAreBetweenAHundredthAndSixtySeconds() {
        #expect(TokenBucket(rate: 1000, at: .zero).burst == 1000)
        #expect(TokenBucket(rate: 1000, burst: 1, at: .zero).burst == 10)
        #expect(TokenBucket(rate: 1000, burst: 500, at: .zero).burst == 500)
        #expect(TokenBucket(rate: 1000, burst: 1_000_000, at: .zero).burst == 60_000)
        #expect(TokenBucket(rate: 1, burst: 0, at: .zero).burst == 1, "or nothing would ever pass")
        #expect(TokenBucket(rate: .max, burst: .max, at: .zero).burst == (1 << 50) * 60)
    }

    @Test func nothingTrapsAtTheEdges() {
        var bucket = TokenBucket(rate: .max, burst: .max, at: .zero)
        bucket.take(.max)
        #expect(bucket.tokens(at: .zero) == 0)
        for _ in 0..<3 { bucket.take(.max) }
        #expect(bucket.tokens(at: .never) > 0)
        bucket.giveBack(.max)
        #expect(bucket.tokens(at: .zero) == Int(bucket.burst), "time does not go back")
        var none = TokenBucket(rate: 0, burst: 5, at: .zero)
        #expect(none.tokens(at: .never) == 0 && none.ready(for: 1, at: .never) == .never)
        #expect(!none.takeIfThere(1, at: .never) && !none.takeIfThere(0, at: .never))
        var slow = TokenBucket(rate: 1, at: .zero)
        slow.take(1 << 50)
        #expect(slow.ready(for: 1, at: .zero) > .zero)
        slow.set(rate: .max, at: Instant(nanoseconds: 1))
        #expect(slow.tokens(at: .never) == 1 << 50)
    }
}
