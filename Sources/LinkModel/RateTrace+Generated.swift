extension RateTrace {
    /// The seconds of a drive: rates that vary around a mean of `mean` Mbit/s and drop out, derived from
    /// `seed`.
    ///
    /// The logarithm of the rate is a first-order autoregressive process, and a two-state Gilbert chain adds
    /// outages. In the recorded drives of "LEO Satellite vs. Cellular Networks" (CoNEXT 2023), consecutive
    /// seconds' rates have a correlation of 0.7 to 0.9, and the coefficient of variation is 0.3 (Starlink,
    /// Verizon) to 1 (AT&T in towns).
    /// - Parameters:
    ///   - spread: standard deviation of the rate's natural logarithm.
    ///   - memory: correlation of one second's logarithm with the next one's, 0..<1.
    ///   - outage: the share of seconds without any capacity, and the mean number of them in a row.
    public static func drive(
        mean: Double, spread: Double, memory: Double, outage: (share: Double, length: Double), seconds: Int,
        seed: UInt64
    ) -> RateTrace {
        var random = SeededGenerator(seed: seed)
        let innovation = spread * (1 - memory * memory).squareRoot()
        let leave = 1 / max(outage.length, 1)
        let enter = outage.share > 0 ? leave * outage.share / (1 - outage.share) : 0
        var logarithm = 0.0
        var isOut = false
        let rates = (0..<max(seconds, 1)).map { _ in
            logarithm = memory * logarithm + innovation * normal(&random)
            isOut = isOut ? random.unit() >= leave : random.unit() < enter
            // The mean of a log-normal distribution is e^(variance / 2).
            return isOut ? 0 : UInt64(mean * 1e6 * exponential(logarithm - spread * spread / 2))
        }
        return RateTrace(rates: rates.contains { $0 > 0 } ? rates : [UInt64(mean * 1e6)])
    }

    /// A cellular link's delivery opportunities: a Poisson process whose rate follows a Brownian motion and
    /// sticks to zero for a while, as in the model of Sprout (Winstein, Sivaraman and Balakrishnan, NSDI
    /// 2013, section 3.1).
    /// - Parameters:
    ///   - mean: mean rate in Mbit/s; the rate is reflected so that it stays below twice as much.
    ///   - volatility: standard deviation of the rate's change in a second, in Mbit/s.
    ///   - recovery: rate per second at which outages end.
    public static func cellular(
        mean: Double, volatility: Double, recovery: Double = 1, seconds: Int, seed: UInt64
    ) -> RateTrace {
        var random = SeededGenerator(seed: seed)
        // Opportunities per millisecond.
        let unit = 1e6 / 8 / 1500 / 1000
        let (most, step) = (2 * mean * unit, volatility * unit / 1000.0.squareRoot())
        var rate = mean * unit
        var times: [UInt32] = []
        for millisecond in 0..<UInt32(max(seconds, 1) * 1000) {
            if rate > 0 {
                rate += step * normal(&random)
                if rate > most { rate = 2 * most - rate }
            } else if random.unit() < recovery / 1000 {
                rate = step * 8
            }
            rate = max(rate, 0)
            for _ in 0..<poisson(rate, &random) { times.append(millisecond) }
        }
        if times.isEmpty { times = [0] }
        return RateTrace(opportunities: times, bytes: 1500, period: UInt32(max(seconds, 1) * 1000))
    }

    /// An approximately normal number from arithmetic alone (Irwin and Hall), so that every machine computes
    /// the same.
    private static func normal(_ random: inout SeededGenerator) -> Double {
        (0..<12).reduce(-6.0) { sum, _ in sum + random.unit() }
    }

    /// e^x as (1 + x/2¹⁰)^(2¹⁰), from arithmetic alone.
    private static func exponential(_ x: Double) -> Double {
        (0..<10).reduce(1 + max(x, -6) / 1024) { power, _ in power * power }
    }

    /// A Poisson-distributed number with mean `mean`, by Knuth's product of uniform numbers.
    private static func poisson(_ mean: Double, _ random: inout SeededGenerator) -> Int {
        let limit = exponential(-min(mean, 5.5))
        var (product, count) = (random.unit(), 0)
        while product > limit {
            product *= random.unit()
            count += 1
        }
        return count
    }
}
