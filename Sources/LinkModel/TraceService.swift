/// Serves frames in order of arrival with the capacity of a `RateTrace`.
struct TraceService: Sendable {
    /// The current opportunity, as its index in the trace and the time at which its period began.
    private var index = 0
    private var cycle: UInt64 = 0
    /// Bytes of that opportunity still unused.
    private var free = 0
    /// When the last frame left: a frame that starts then continues with the same opportunity.
    private var last = UInt64.max

    /// When a frame of `bytes` that cannot leave before `start` has left, all times in nanoseconds since the
    /// beginning of the trace.
    mutating func departure(_ bytes: Int, from start: UInt64, _ trace: RateTrace) -> UInt64 {
        switch trace.course {
        case .opportunities(let times, let size):
            last = serve(bytes, from: start, times, size, period: trace.period)
            return last
        case .rates(let rates, let span):
            return Self.serve(bytes, from: start, rates, span)
        }
    }

    private mutating func serve(
        _ bytes: Int, from start: UInt64, _ times: [UInt32], _ size: Int, period: UInt64
    ) -> UInt64 {
        if start != last {
            cycle = start / period * period
            index = RateTrace.firstIndex(in: times, notBefore: start - cycle)
            free = size
        }
        var rest = bytes
        while true {
            if index >= times.count {
                index = 0
                cycle += period
            }
            if rest <= free { break }
            rest -= free
            free = size
            index += 1
        }
        free -= rest
        return cycle + UInt64(times[index]) * 1_000_000
    }

    private static func serve(_ bytes: Int, from start: UInt64, _ rates: [UInt64], _ span: UInt64) -> UInt64 {
        var time = start
        // In bits times 10⁹: a rate in bits per second serves that many per nanosecond.
        var rest = UInt64(bytes) * 8_000_000_000
        while true {
            let end = (time / span + 1) * span
            let rate = rates[Int(time / span % UInt64(rates.count))]
            let served = rate * (end - time)
            if rest <= served { return rate == 0 ? time : time + (rest + rate - 1) / rate }
            rest -= served
            time = end
        }
    }
}
