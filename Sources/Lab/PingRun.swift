/// A run of echo requests at a constant rate, and the answers.
public struct PingRun: Equatable, Sendable {
    /// One answer.
    public struct Reply: Equatable, Sendable {
        /// Which request it answers, from 1.
        public var sequence: Int
        /// Round-trip time in milliseconds.
        public var rtt: Double
        /// When it arrived, in seconds of the wall clock.
        public var time: Double
    }

    /// The number of requests sent.
    public var sent: Int
    /// The answers in order of arrival, without duplicates.
    public var replies: [Reply]
    /// The number of duplicate answers.
    public var duplicates: Int

    /// The number of unanswered requests.
    public var lost: Int { sent - replies.count }
    /// The fraction of unanswered requests.
    public var loss: Double { sent == 0 ? 0 : Double(lost) / Double(sent) }
    /// The longest time between two answers, in milliseconds; 0 for fewer than two.
    public var largestGap: Double {
        zip(replies, replies.dropFirst()).map { ($1.time - $0.time) * 1000 }.max() ?? 0
    }
    /// The median round-trip time in milliseconds; nil without answers.
    public var medianRTT: Double? { quantile(0.5) }

    /// The round-trip time in milliseconds that the fraction `q` of the answers did not exceed; nil without answers.
    public func quantile(_ q: Double) -> Double? {
        if replies.isEmpty { return nil }
        let sorted = replies.map(\.rtt).sorted()
        return sorted[min(Int(q * Double(sorted.count)), sorted.count - 1)]
    }

    /// The longest time without an answer in milliseconds, counted from `moment` of the wall clock on; infinite
    /// if the silence lasted to the end (the last ten requests were not answered).
    public func silence(after moment: Double) -> Double {
        guard let last = replies.last, last.sequence > sent - 10, last.time > moment else { return .infinity }
        return zip(replies, replies.dropFirst()).filter { $1.time > moment }
            .map { ($1.time - max($0.time, moment)) * 1000 }.max() ?? (last.time - moment) * 1000
    }

    /// The same between two moments of the wall clock; infinite without answers after the first.
    public func silence(from start: Double, to end: Double) -> Double {
        let times = replies.map(\.time).filter { $0 > start && $0 < end }
        guard let first = times.first else { return .infinity }
        // Of a silence that spans the first moment, only the part after it counts.
        let gaps = zip(times, times.dropFirst()).map { $1 - $0 } + [first - start]
        return (gaps.max() ?? 0) * 1000
    }

    /// The number of unanswered requests among those sent between two moments of the wall clock, at `interval`
    /// seconds between two requests.
    public func lost(from start: Double, to end: Double, interval: Double = 0.01) -> Int {
        guard let first = replies.first else { return sent }
        let began = first.time - first.rtt / 1000 - Double(first.sequence) * interval
        let answered = Set(replies.map(\.sequence))
        return (1...sent).count { sequence in
            let time = began + Double(sequence) * interval
            return time >= start && time < end && !answered.contains(sequence)
        }
    }

    /// Pings `address` and waits for the end, at most a second longer than the last request. Throws `system` or
    /// `badAddress`.
    ///
    /// - Parameters:
    ///   - count: the number of requests, at most 65 535.
    ///   - interval: seconds between two requests.
    ///   - interface: the interface to leave by.
    ///   - source: the address to send from.
    ///   - size: bytes of payload.
    public static func run(
        from namespace: Namespace, to address: String, count: Int, interval: Double = 0.01,
        interface: String? = nil, source: String? = nil, size: Int = 56
    ) throws(LabError) -> PingRun {
        try start(
            from: namespace, to: address, count: count, interval: interval, interface: interface,
            source: source, size: size
        ).finish()
    }

    /// A ping in progress, which ends with the value.
    public struct Running: Sendable {
        let pinger: Pinger

        /// The result so far.
        public var soFar: PingRun { pinger.soFar }

        /// Waits for the end.
        public func finish() -> PingRun { pinger.finish() }
    }

    /// Starts pinging; the parameters are those of `run`.
    public static func start(
        from namespace: Namespace, to address: String, count: Int, interval: Double = 0.01,
        interface: String? = nil, source: String? = nil, size: Int = 56
    ) throws(LabError) -> Running {
        precondition((1...65_535).contains(count) && interval > 0 && size >= 0)
        let plan = Pinger.Plan(count: count, interval: UInt64(interval * 1e9), size: size)
        return Running(
            pinger: try Pinger(from: namespace, to: address, plan, interface: interface, source: source))
    }
}
