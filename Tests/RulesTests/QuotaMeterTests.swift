import LinkModel
import Packet
import Testing

@testable import Rules

@Suite struct QuotaMeterTests {
    private func quota(_ remaining: Int64, exhausted: Bool = false) -> Quota {
        Quota(monthlyBytes: 1000, remaining: remaining, period: 100..<200, isExhausted: exhausted)
    }

    @Test func bytesUseItUp() {
        var meter = QuotaMeter(quota(300))
        #expect(meter.room(at: 150) == 300)
        meter.consume(299, at: 150)
        #expect(meter.room(at: 150) == 1 && !meter.quota(at: 150).isExhausted)
        meter.consume(5, at: 150)
        #expect(meter.room(at: 150) == 0 && meter.quota(at: 150) == quota(-4, exhausted: true))
    }

    @Test func whatItIsSetToCounts() {
        var meter = QuotaMeter(quota(300))
        meter.consume(400, at: 150)
        meter.set(quota(50))
        #expect(meter.room(at: 150) == 50)
        meter.set(quota(50, exhausted: true))
        #expect(meter.room(at: 150) == 0, "whatever is left")
        meter.set(quota(-50))
        #expect(meter.room(at: 150) == 0)
    }

    @Test func aNewMonthBringsANewOne() {
        var meter = QuotaMeter(quota(300))
        meter.consume(400, at: 199)
        #expect(meter.room(at: 199) == 0)
        #expect(meter.room(at: 200) == 1000)
        meter.consume(10, at: 201)
        #expect(
            meter.quota(at: 299)
                == Quota(monthlyBytes: 1000, remaining: 990, period: 200..<300, isExhausted: false))
        #expect(meter.quota(at: 750).period == 700..<800, "away for long")
        var none = QuotaMeter(Quota(monthlyBytes: 0, remaining: 5, period: 0..<10, isExhausted: false))
        #expect(none.room(at: 10) == 0 && none.quota(at: 10).isExhausted)
    }

    /// A clock that is briefly ahead grants no other month, and the month before is stored in the meantime.
    @Test func aClockThatJumpsGrantsNothing() {
        var meter = QuotaMeter(quota(300))
        let start = Instant.zero + .seconds(10)
        meter.consume(100, at: 150)
        #expect(meter.room(at: 250) == 1000)
        meter.consume(50, at: 250)
        #expect(meter.lasting(at: 250, now: start) == quota(150))
        #expect(meter.room(at: 151) == 150 && meter.quota(at: 151) == quota(150))
        #expect(meter.lasting(at: 151, now: start) == quota(150))
        // It stays there.
        #expect(meter.lasting(at: 260, now: start + .seconds(20)).period == 100..<200)
        #expect(meter.lasting(at: 261, now: start + .seconds(3000)).period == 100..<200)
        #expect(meter.lasting(at: 262, now: start + .seconds(3700)).period == 200..<300)
        meter.consume(1, at: 263)
        #expect(meter.lasting(at: 263, now: start + .seconds(3701)).remaining == 999)
        #expect(meter.room(at: 150) == 999, "too late to go back")
        // The control plane's value takes precedence.
        #expect(meter.room(at: 350) == 1000)
        meter.set(quota(7))
        #expect(meter.room(at: 150) == 7)
    }

    /// Usage while the control plane was away is in neither count alone.
    @Test func countsOfOneMonthAreMerged() {
        #expect(quota(800).merged(with: quota(300)) == quota(300))
        #expect(quota(200).merged(with: quota(300)) == quota(200))
        #expect(quota(800).merged(with: quota(-5, exhausted: true)) == quota(-5, exhausted: true))
        #expect(quota(300, exhausted: true).merged(with: quota(800)) == quota(300, exhausted: true))
        // Another month, and more of the same one.
        let next = Quota(monthlyBytes: 1000, remaining: 900, period: 200..<300, isExhausted: false)
        #expect(next.merged(with: quota(-5, exhausted: true)) == next)
        let more = Quota(monthlyBytes: 5000, remaining: 4900, period: 100..<200, isExhausted: false)
        #expect(more.merged(with: quota(-5, exhausted: true)).remaining == 3995)
        #expect(!more.merged(with: quota(-5, exhausted: true)).isExhausted)
        var broken = quota(.max)
        broken.monthlyBytes = .min
        #expect(quota(5).merged(with: broken).remaining <= 5)
        #expect(broken.merged(with: quota(5)).isExhausted)
    }

    @Test func nonsenseDoesNotTrap() {
        let periods: [Range<Int64>] = [.min ..< .max, 0..<0, .max - 1 ..< .max, .min ..< .min + 5]
        for period in periods {
            for remaining in [Int64.min, 0, .max] {
                var meter = QuotaMeter(
                    Quota(monthlyBytes: .min, remaining: remaining, period: period, isExhausted: false))
                for time in [Int64.min, -1, 0, .max] {
                    meter.consume(.max, at: time)
                    #expect(meter.room(at: time) == 0)
                    #expect(meter.quota(at: time).remaining <= 0)
                }
            }
        }
    }

    @Test(arguments: [UInt64(1), 2])
    func isWhatCountingSays(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var meter = QuotaMeter(quota(1000))
        var (time, month, used): (Int64, Int64, Int64) = (100, 1, 0)
        for round in 0..<20_000 {
            time +=
                Int64.random(in: 0...3, using: &random) == 0 ? Int64.random(in: 0...90, using: &random) : 0
            if time / 100 > month { (month, used) = (time / 100, 0) }
            let bytes = Int64.random(in: 0...300, using: &random)
            used += bytes
            meter.consume(UInt64(bytes), at: time)
            try #require(meter.room(at: time) == max(0, Int(1000 - used)), "seed \(seed), round \(round)")
        }
    }
}
