import LinkModel

extension Mix {
    /// The rows of docs/simulation.md. In their titles a link is rate in Mbit/s, one-way delay in ms, jitter and loss.
    public static let standard: [Mix] = [
        Mix("alone-100", "100/10", [link(100, 10)]),
        Mix("alone-50", "50/30", [link(50, 30)]),
        Mix("alone-20", "20/30", [link(20, 30)]),
        Mix("fibre-lte", "100/10 + 50/30", [link(100, 10), link(50, 30)]),
        Mix("unequal", "50/10 + 10/10", [link(50, 10), link(10, 10)]),
        Mix("fast", "300/5 + 80/15", [link(300, 5), link(80, 15)]),
        Mix("lossy-lte", "100/10 + 50/30/2%", [link(100, 10), link(50, 30, loss: 0.02)]),
        Mix(
            "radio", "40/25/±10/0.5% + 100/25/±12/1%",
            [link(40, 25, jitter: 10, loss: 0.005), link(100, 25, jitter: 12, loss: 0.01)]),
        Mix("three", "100/10 + 50/30 + 20/60", [link(100, 10), link(50, 30), link(20, 60)]),
        Mix("tail", "200/5 + 5/80", [link(200, 5), link(5, 80)]),
        Mix("geo", "40/30 + 20/320", [link(40, 30), link(20, 320)]),
        Mix(
            "geo-bulk", "40/30 + 20/320, throughput", [link(40, 30), link(20, 320)], over: .patient,
            mode: .throughput),
        Mix(
            "five", "100/10 + 50/30 + 30/20 + 20/60 + 10/40",
            [link(100, 10), link(50, 30), link(30, 20), link(20, 60), link(10, 40)]),
        Mix("asym-up", "10/15 (80 down) + 20/30, up", [asymmetric, link(20, 30)]),
        Mix("asym-down", "80/15 (10 up) + 20/30, down", [asymmetric, link(20, 30)], from: .server),
        Mix("jitter", "20/30/±15", [link(20, 30, jitter: 15)]),
        Mix("jitter-mix", "50/40/±20 + 50/20", [link(50, 40, jitter: 20), link(50, 20)]),
        Mix("bursts", "100/10 + 50/30/2% in 8s", [link(100, 10), link(50, 30, loss: 0.02, burst: 8)]),
        Mix(
            "rate-step", "100→20→100/10 + 50/30",
            [link(100, 10).then(.rate(20_000_000), at: 8).then(.rate(100_000_000), at: 12), link(50, 30)]),
        Mix(
            "delay-step", "50/60→90 every 15 s + 50/30",
            [
                link(50, 60).then(.delay(90_000_000), at: 8).then(.delay(60_000_000), at: 23),
                link(50, 30),
            ]),
        Mix(
            "flapping", "100/10 up and down every 1.5 s + 50/30",
            [
                link(100, 10).alternating([.isDown(true), .isDown(false)], every: 1.5, until: 30),
                link(50, 30),
            ]),
        Mix("sat-lossy", "20/300/2%", [link(20, 300, loss: 0.02)]),
        Mix(
            "far-lossy", "50/120/1% + 20/150/3%", [link(50, 120, loss: 0.01), link(20, 150, loss: 0.03)]),
        Mix("two-lossy", "50/20/5% + 50/20/5%", [link(50, 20, loss: 0.05), link(50, 20, loss: 0.05)]),
    ]

    private static let asymmetric = LinkPlan(
        LinkShape(megabits: 10, milliseconds: 15), down: LinkShape(megabits: 80, milliseconds: 15))

    /// A link with a rate in Mbit/s, a one-way delay in ms, and jitter in ms to both sides.
    private static func link(
        _ rate: Double, _ delay: Double, jitter: Double = 0, loss: Double = 0, burst: Double = 0
    ) -> LinkPlan {
        var shape = LinkShape(megabits: rate, milliseconds: delay)
        shape.jitter = UInt64(jitter * 1e6)
        shape.loss = loss
        shape.burst = burst
        return LinkPlan(shape)
    }
}
