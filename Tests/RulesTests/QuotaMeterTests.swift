import Links
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
        #expect(meter.room(at: 150) == 1000, "a clock that goes back changes nothing")
        var none = QuotaMeter(Quota(monthlyBytes: 0, remaining: 5, period: 0..<10, isExhausted: false))
        #expect(none.room(at: 10) == 0 && none.quota(at: 10).isExhausted)
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
