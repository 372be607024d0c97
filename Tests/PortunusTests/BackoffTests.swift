import Testing

@testable import Portunus

/// Pauses between attempts.
struct BackoffTests {
    /// Uniform from nothing to a limit that doubles from half a second to half a minute, and is reset by a
    /// success.
    @Test func pausesAreUniformBelowADoublingLimit() {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var generator = Seeded(seed)
        let limits = [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
        var shares: [[Double]] = limits.map { _ in [] }
        let timing = Timing()
        var backoff = Backoff(first: timing.firstPause, longest: timing.longestPause)
        for _ in 0..<1000 {
            for (index, limit) in limits.enumerated() {
                shares[index].append(backoff.pause(using: &generator) / .seconds(limit))
            }
            backoff.reset()
        }
        for all in shares {
            #expect(all.allSatisfy { (0...1).contains($0) })
            // Each tenth has its tenth: 100 of 1,000 with a standard deviation of 9.5.
            for tenth in 0..<10 {
                let count = all.filter { Int(min($0, 0.999) * 10) == tenth }.count
                #expect((50...150).contains(count))
            }
        }
    }
}
