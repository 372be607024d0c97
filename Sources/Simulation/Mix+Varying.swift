import LinkModel

extension Mix {
    /// The rows of docs/simulation.md with realistic links: the capacity changes all the time, radios send in
    /// bursts, buffers are too deep or too shallow. All rows measure downwards, and all links are generated.
    public static let varying: [Mix] = [
        row("drive", "Starlink 60 + LTE 60 + LTE 16, a drive") {
            [
                link(
                    12, 25, jitter: 6, loss: 0.003, queue: 150,
                    trace: drive(60, spread: 0.35, memory: 0.8, out: 0.05, seed: 1)),
                link(
                    12, 28, jitter: 4, loss: 0.0005, queue: 300,
                    trace: drive(60, spread: 0.3, memory: 0.8, out: 0, seed: 2)),
                link(
                    3, 33, jitter: 4, loss: 0.0005, queue: 300,
                    trace: drive(16, spread: 0.9, memory: 0.8, out: 0.1, seed: 3)),
            ]
        },
        row("drive-far", "Starlink 40 + LTE 8, with long outages") {
            [
                link(
                    8, 25, jitter: 6, loss: 0.003, queue: 150,
                    trace: drive(40, spread: 0.5, memory: 0.7, out: 0.2, seed: 4)),
                link(
                    2, 33, jitter: 4, loss: 0.0005, queue: 300,
                    trace: drive(8, spread: 1, memory: 0.9, out: 0.2, seed: 5)),
            ]
        },
        row("cellular", "LTE 24 + LTE 10, change in milliseconds") {
            [
                link(
                    10, 26, jitter: 4, queue: 300,
                    trace: .cellular(mean: 24, volatility: 12, seconds: 25, seed: 6)),
                link(
                    5, 33, jitter: 4, queue: 300,
                    trace: .cellular(mean: 10, volatility: 6, seconds: 25, seed: 7)),
            ]
        },
        row("policed", "100/10, policed to 20 + 30/30") {
            [link(100, 10).with { $0.policer = Policer(rate: 20_000_000, burst: 60_000) }, link(30, 30)]
        },
        row("bucket", "100/15, policed to 10 by 1 MB + 20/25") {
            [link(100, 15).with { $0.policer = Policer(rate: 10_000_000, burst: 1_000_000) }, link(20, 25)]
        },
        row("shallow", "50/20 + 50/30, buffers of 3 ms") {
            [link(50, 20, queue: 3), link(50, 30, queue: 3)]
        },
        row("deep", "30/30 + 50/20, buffers of 2 s") {
            [link(30, 30, queue: 2000), link(50, 20, queue: 2000)]
        },
        row("one-sided", "60/30 + 100/25, up to 40 and 20 ms later") {
            [
                link(60, 30, queue: 1000).with { $0.lag = 40_000_000 },
                link(100, 25, queue: 500).with { $0.lag = 20_000_000 },
            ]
        },
        row("grants", "50/30 + 30/40, bursts each 5 to 15 ms") {
            [link(50, 30, queue: 300), link(30, 40, queue: 300)].map {
                $0.with { $0.grants = 5_000_000...15_000_000 }
            }
        },
        row("throttle", "50/30 → 64 kbit/s + 30/20") {
            [link(50, 30).then(.rate(64_000), at: 8), link(30, 20)]
        },
        row("handover", "100/25, holds 120 ms each 5 s + 40/35") {
            [
                link(100, 25, jitter: 3, queue: 300).with {
                    $0.handover = Recurrence(length: 120_000_000, every: 5_000_000_000)
                }, link(40, 35, queue: 300),
            ]
        },
        row("bursts-6", "100/10 + 50/30/2% in 6s") { [link(100, 10), link(50, 30, loss: 0.02, burst: 6)] },
    ]

    private static func row(_ name: String, _ title: String, _ links: () -> [LinkPlan]) -> Mix {
        Mix(name, title, links(), from: .server, over: .whole(20))
    }

    private static func drive(
        _ mean: Double, spread: Double, memory: Double, out: Double, seed: UInt64
    ) -> RateTrace {
        .drive(mean: mean, spread: spread, memory: memory, outage: (out, 2), seconds: 25, seed: seed)
    }

    /// A link with a rate in Mbit/s both ways, or only upwards if a trace defines the way down; times in ms.
    private static func link(
        _ rate: Double, _ delay: Double, jitter: Double = 0, loss: Double = 0, burst: Double = 0,
        queue: Double = 100, trace: RateTrace? = nil
    ) -> LinkPlan {
        var up = LinkShape(megabits: rate, milliseconds: delay)
        up.jitter = UInt64(jitter * 1e6)
        (up.loss, up.burst) = (loss, burst)
        up.queue = UInt64(queue * 1e6)
        var down = up
        down.trace = trace
        return LinkPlan(up, down: down)
    }
}

extension LinkPlan {
    /// The same with a change applied to both directions from the start.
    fileprivate func with(_ change: (inout LinkShape) -> Void) -> LinkPlan {
        var plan = self
        change(&plan.up)
        change(&plan.down)
        return plan
    }
}
