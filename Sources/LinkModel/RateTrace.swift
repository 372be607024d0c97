/// The capacity of one direction of a link over time, recorded or generated, which repeats from its end.
///
/// Two forms: delivery opportunities (Mahimahi; Winstein, Sivaraman and Balakrishnan, NSDI 2013), each of
/// which carries a fixed number of bytes at one instant and is wasted if no frame waits; and rates that hold
/// for a fixed time each.
public struct RateTrace: Equatable, Sendable {
    /// The form of the capacity.
    enum Course: Equatable, Sendable {
        /// Ascending milliseconds, at each of which the link carries `bytes`.
        case opportunities([UInt32], bytes: Int)
        /// Bits per second, each for `span` nanoseconds.
        case rates([UInt64], span: UInt64)
    }

    /// The highest rate of a trace, in bits per second: keeps bits times nanoseconds below 2⁶³.
    public static let highestRate: UInt64 = 5_000_000_000

    let course: Course
    /// Nanoseconds until it repeats.
    public let period: UInt64

    /// Opportunities of `bytes` at these milliseconds, in ascending order, repeated every `period`
    /// milliseconds.
    /// - Precondition: there is at least one, all are less than `period`, and `bytes` is positive.
    public init(opportunities: [UInt32], bytes: Int, period: UInt32) {
        precondition(!opportunities.isEmpty && opportunities.last! < period && bytes > 0)
        course = .opportunities(opportunities, bytes: bytes)
        self.period = UInt64(period) * 1_000_000
    }

    /// These rates in bits per second, at most `highestRate`, each for `span` nanoseconds (at most a second).
    /// - Precondition: at least one of them is not zero.
    public init(rates: [UInt64], span: UInt64 = 1_000_000_000) {
        precondition(rates.contains { $0 > 0 } && (1...1_000_000_000).contains(span))
        course = .rates(rates.map { min($0, Self.highestRate) }, span: span)
        period = UInt64(rates.count) * span
    }

    /// The same course with its capacity multiplied by `factor`.
    public func scaled(by factor: Double) -> RateTrace {
        switch course {
        case .opportunities(let times, let bytes):
            RateTrace(
                opportunities: times, bytes: max(Int((Double(bytes) * factor).rounded()), 1),
                period: UInt32(period / 1_000_000))
        case .rates(let rates, let span):
            RateTrace(
                rates: rates.map { $0 == 0 ? 0 : max(UInt64((Double($0) * factor).rounded()), 1) }, span: span
            )
        }
    }

    /// Bits per second, averaged over the whole period.
    public var meanRate: Double { bits(from: 0, to: period) / (Double(period) / 1e9) }

    /// Bits that the link can carry between two times, in nanoseconds since the beginning of the trace.
    public func bits(from start: UInt64, to end: UInt64) -> Double {
        guard end > start else { return 0 }
        return total(until: end) - total(until: start)
    }

    private func total(until time: UInt64) -> Double {
        let (cycles, phase) = time.quotientAndRemainder(dividingBy: period)
        switch course {
        case .opportunities(let times, let bytes):
            let count = Int(cycles) * times.count + Self.firstIndex(in: times, notBefore: phase)
            return Double(count) * Double(bytes) * 8
        case .rates(let rates, let span):
            let (index, rest) = phase.quotientAndRemainder(dividingBy: span)
            let whole = rates.reduce(0.0) { $0 + Double($1) }
            let part = rates[..<Int(index)].reduce(0.0) { $0 + Double($1) }
            return (Double(cycles) * whole + part) * Double(span) / 1e9
                + Double(rest) * Double(rates[Int(index)]) / 1e9
        }
    }

    /// Index of the first of the ascending milliseconds at or after `phase` nanoseconds; their count if there
    /// is none.
    static func firstIndex(in times: [UInt32], notBefore phase: UInt64) -> Int {
        var (low, high) = (0, times.count)
        while low < high {
            let middle = (low + high) / 2
            if UInt64(times[middle]) * 1_000_000 < phase { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
