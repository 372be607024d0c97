import Foundation
import Lab
import LinkModel

/// The measured properties of a link.
struct LinkCheck {
    /// Mbit/s of TCP payload, client to server.
    var up: Double
    /// Mbit/s of TCP payload, server to client.
    var down: Double
    /// Median round-trip time in milliseconds; nil if no ping was answered.
    var rtt: Double?
    /// The fraction of unanswered pings.
    var loss: Double

    private static let pings = 1000

    /// Measures an idle link: pings for time and loss, then TCP for the rate, with loss and jitter disabled
    /// meanwhile, because TCP would measure those instead.
    static func measure(_ link: EmulatedLink) throws(LabError) -> LinkCheck {
        let (client, server) = (link.namespace(.client), link.namespace(.server))
        let address = link.addresses.ipv4(.server)
        let ping = try PingRun.run(from: client, to: address, count: pings, interval: 0.002)
        let shapes = (link.shape(.up), link.shape(.down))
        link.change { shape in
            (shape.loss, shape.jitter, shape.duplication) = (0, 0, 0)
        }
        defer {
            link.change(.up) { $0 = shapes.0 }
            link.change(.down) { $0 = shapes.1 }
        }
        var plan = TCPFlow.Plan(to: address, seconds: 2)
        plan.omit = 2
        plan.congestion = "cubic"
        let up = try TCPFlow.run(from: client, to: server, plan).megabits
        plan.reverse = true
        let down = try TCPFlow.run(from: client, to: server, plan).megabits
        return LinkCheck(up: up, down: down, rtt: ping.medianRTT, loss: ping.loss)
    }

    /// The columns of the table.
    var row: [String] {
        [Self.figure(up), Self.figure(down), rtt.map(Self.figure) ?? "none", Self.percent(loss)]
    }

    /// The expected columns of the table. A ping can be lost in either direction.
    static func expectation(_ spec: LinkSpec) -> [String] {
        func rate(_ shape: LinkShape) -> String { shape.rate == 0 ? "inf" : figure(Double(shape.rate) / 1e6) }
        return [rate(spec.up), rate(spec.down), figure(rtt(spec)), percent(loss(spec))]
    }

    /// Whether TCP gets 85–100 % of the rates, the time is within 1.5 ms (and the jitter), and the loss within
    /// four standard deviations, widened by the length of bursts.
    func isGood(_ spec: LinkSpec) -> Bool {
        func fits(_ megabits: Double, _ shape: LinkShape) -> Bool {
            shape.rate == 0 || (0.85...1).contains(megabits * 1e6 / Double(shape.rate))
        }
        let p = Self.loss(spec)
        let burst = max(spec.up.burst, spec.down.burst, 1)
        let bound = 4 * (p * (1 - p) * 2 * burst / Double(Self.pings)).squareRoot()
        let jitter = Double(spec.up.jitter + spec.down.jitter) / 1e6
        guard let rtt else { return p == 1 }
        return fits(up, spec.up) && fits(down, spec.down) && abs(rtt - Self.rtt(spec)) <= 1.5 + jitter
            && abs(loss - p) <= bound
    }

    private static func rtt(_ spec: LinkSpec) -> Double { Double(spec.up.delay + spec.down.delay) / 1e6 }
    private static func loss(_ spec: LinkSpec) -> Double { 1 - (1 - spec.up.loss) * (1 - spec.down.loss) }
    private static func figure(_ value: Double) -> String { String(format: "%.1f", value) }
    private static func percent(_ value: Double) -> String { String(format: "%.2f %%", value * 100) }
}
