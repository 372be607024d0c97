/// A run of `ping`, and what came back.
public struct PingRun: Equatable, Sendable {
    /// One answer.
    public struct Reply: Equatable, Sendable {
        /// Which request it answers, from 1.
        public var sequence: Int
        /// Round-trip time in milliseconds.
        public var rtt: Double
        /// When it came, in seconds of the wall clock.
        public var time: Double
    }

    /// How many requests were sent.
    public var sent: Int
    /// The answers in the order they came, without copies.
    public var replies: [Reply]
    /// How many answers came a second time.
    public var duplicates: Int

    /// How many requests were not answered.
    public var lost: Int { sent - replies.count }
    /// The fraction of requests that were not answered.
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

    /// Pings `address` and waits for the end. Throws `deadline`, `failed`, or `unreadable`.
    ///
    /// - Parameters:
    ///   - count: how many requests.
    ///   - interval: seconds between two requests, 0.002 or more.
    ///   - interface: the interface to leave by.
    ///   - size: bytes of payload.
    public static func run(
        from namespace: Namespace, to address: String, count: Int, interval: Double = 0.01,
        interface: String? = nil, size: Int = 56
    ) throws(LabError) -> PingRun {
        try start(
            from: namespace, to: address, count: count, interval: interval, interface: interface, size: size
        ).finish()
    }

    /// A ping that runs.
    public struct Running: Sendable {
        let child: Child
        let seconds: Double

        /// Waits for the end. Throws as `PingRun.run` does.
        public func finish() throws(LabError) -> PingRun {
            let status = try child.wait(seconds: seconds)
            // 1 is what ping returns when nothing came back: a result, too.
            guard status == .exited(0) || status == .exited(1) else {
                throw .failed(command: child.command, status: status, errors: child.errors)
            }
            return try PingRun(output: child.output)
        }
    }

    /// Starts to ping; the parameters are those of `run`.
    public static func start(
        from namespace: Namespace, to address: String, count: Int, interval: Double = 0.01,
        interface: String? = nil, size: Int = 56
    ) throws(LabError) -> Running {
        var command = ["ping", "-D", "-n", "-i", "\(interval)", "-c", "\(count)", "-s", "\(size)", "-W", "1"]
        if let interface { command += ["-I", interface] }
        let child = try namespace.spawn(command + [address], environment: ["LC_ALL": "C"])
        return Running(child: child, seconds: Double(count) * interval * 1.5 + 15)
    }

    /// Reads the output of `ping -D`. Throws `unreadable`.
    init(output: String) throws(LabError) {
        (replies, duplicates) = ([], 0)
        var sent: Int?
        var seen = Set<Int>()
        for line in output.split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.contains(" packets transmitted"), let first = words.first { sent = Int(first) }
            guard line.hasPrefix("["), let time = Double(words[0].dropFirst().dropLast()),
                let sequence = Self.value("icmp_seq=", words).flatMap({ Int($0) }),
                let rtt = Self.value("time=", words).flatMap({ Double($0) })
            else { continue }
            if seen.insert(sequence).inserted {
                replies.append(Reply(sequence: sequence, rtt: rtt, time: time))
            } else {
                duplicates += 1
            }
        }
        guard let sent else { throw .unreadable(program: "ping", output: output) }
        self.sent = sent
    }

    private static func value(_ key: String, _ words: [Substring]) -> Substring? {
        words.first { $0.hasPrefix(key) }?.dropFirst(key.count)
    }
}
