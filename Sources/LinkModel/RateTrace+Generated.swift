extension RateTrace {
    /// A drive's seconds: rates that wander about `mean` Mbit/s and drop out, as `seed` decides.
    ///
    /// The logarithm of the rate is an autoregressive process of the first order, and a two-state chain of Gilbert's adds
    /// outages. Over the recorded drives of "LEO Satellite vs. Cellular Networks" (CoNEXT 2023) one second's rate correlates
    /// with the next by 0.7 to 0.9 and its coefficient of variation is 0.3 (Starlink, Verizon) to 1 (AT&T in towns).
    /// - Parameters:
    ///   - spread: standard deviation of the rate's natural logarithm.
    ///   - memory: correlation of one second's logarithm with the next one's, 0..<1.
    ///   - outage: the share of seconds without any capacity, and how many of them follow each other on average.
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
            // The mean of a logarithmic normal distribution is e^(variance / 2).
            return isOut ? 0 : UInt64(mean * 1e6 * exponential(logarithm - spread * spread / 2))
        }
        return RateTrace(rates: rates.contains { $0 > 0 } ? rates : [UInt64(mean * 1e6)])
    }

    /// A cellular link's opportunities, which come as a Poisson process whose rate wanders as Brownian motion does and
    /// sticks to zero for a while: the model of Sprout (Winstein, Sivaraman and Balakrishnan, NSDI 2013, section 3.1).
    /// - Parameters:
    ///   - mean: Mbit/s about which the rate is reflected: it stays below twice as much.
    ///   - volatility: Mbit/s that the rate moves in a second, as a standard deviation.
    ///   - recovery: outages end at this rate a second.
    public static func cellular(
        mean: Double, volatility: Double, recovery: Double = 1, seconds: Int, seed: UInt64
    ) -> RateTrace {
        var random = SeededGenerator(seed: seed)
        // Opportunities a millisecond.
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

    /// Nearly normal, from arithmetic alone (Irwin and Hall): every machine gets the same.
    private static func normal(_ random: inout SeededGenerator) -> Double {
        (0..<12).reduce(-6.0) { sum, _ in sum + random.unit() }
    }

    /// e^x by (1 + x/2¹⁰)^(2¹⁰), from arithmetic alone.
    private static func exponential(_ x: Double) -> Double {
        (0..<10).reduce(1 + max(x, -6) / 1024) { power, _ in power * power }
    }

    /// How often something happens that happens `mean` times on average; by Knuth's product of uniform numbers.
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
