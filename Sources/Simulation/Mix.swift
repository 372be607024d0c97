import LinkModel
import Proto

/// A row of the simulation table: links between the two ends, and the direction of the traffic.
public struct Mix: Sendable {
    /// Its name on the command line and in the table, without spaces.
    public let name: String
    /// The links in readable form.
    public let title: String
    /// The links, one for each path.
    public let links: [LinkPlan]
    /// Which end sends the bulk of the traffic.
    public let sender: Side
    /// The length of its runs, and the part of them that counts.
    public let span: Span
    /// The tunnel's mode.
    public let mode: Mode

    /// A mix.
    public init(
        _ name: String, _ title: String, _ links: [LinkPlan], from sender: Side = .client,
        over span: Span = .steady, mode: Mode = .auto
    ) {
        self.mode = mode
        self.name = name
        self.title = title
        self.links = links
        self.sender = sender
        self.span = span
    }

    /// The share of a link's rate that is available to a flow.
    static let share = 0.897

    /// Maximum rate of a flow in Mbit/s during the measurement.
    public var ceiling: Double { ceiling(span.window.start, span.window.end) }

    /// Whether its flows count from their start, with pings next to them: links that vary all the time.
    public var isVarying: Bool { span.settling == .zero }

    /// Each link alone, the one with the highest ceiling first.
    public var singles: [Mix] {
        links.map { Mix("single", "single", [$0], from: sender, over: span) }.sorted {
            $0.ceiling > $1.ceiling
        }
    }

    /// Maximum rate of a flow in Mbit/s between `start` and `end` (nanoseconds since the flows began).
    func ceiling(_ start: UInt64, _ end: UInt64) -> Double {
        links.reduce(0) { $0 + Self.ceiling($1, from: sender, start, end) }
    }

    static func ceiling(_ link: LinkPlan, from sender: Side, _ start: UInt64, _ end: UInt64) -> Double {
        link.shapes(from: sender, start, end).reduce(0) { sum, part in
            part.shape.isDown
                ? sum : sum + part.share * part.shape.megabits(start, end) * (1 - part.shape.loss)
        } * share
    }

    /// Maximum rate of a flow in Mbit/s in each interval of `seconds` within its span.
    public func course(every seconds: Double) -> [Double] {
        let step = UInt64(seconds * 1e9)
        return stride(from: span.window.start, to: span.window.end, by: Int(step)).map {
            ceiling($0, $0 + step)
        }
    }

    /// The links' largest total rate in any one second, in Mbit/s.
    var peak: Double {
        let (second, end) = (UInt64(1_000_000_000), span.window.end)
        return stride(from: 0, to: end, by: Int(second)).reduce(0) { peak, start in
            let sum = links.reduce(0) { sum, link in
                let shapes = link.shapes(from: sender, start, start + second)
                return sum + (shapes.map { $0.shape.megabits(start, start + second) }.max() ?? 0)
            }
            return max(peak, sum)
        }
    }

    /// The links' smallest total rate until `end`, in bits per second.
    func leastRate(until end: UInt64) -> UInt64 {
        var least = UInt64.max
        let moments: [UInt64] = links.flatMap { link in link.steps.map { $0.time } }
        for moment in [0] + moments where moment < end {
            var sum: UInt64 = 0
            for link in links {
                // The shape from this moment on is that of the nanosecond after it.
                let shape = link.shapes(from: sender, moment, moment + 1).last!.shape
                if !shape.isDown { sum += shape.rate }
            }
            least = min(least, sum)
        }
        return least
    }
}

extension LinkShape {
    /// Average rate in Mbit/s between two times, in nanoseconds since the flows began.
    fileprivate func megabits(_ start: UInt64, _ end: UInt64) -> Double {
        var megabits = Double(rate) / 1e6
        if let trace { megabits = trace.bits(from: start, to: end) / (Double(end - start) / 1e9) / 1e6 }
        if let policer { megabits = min(megabits, Double(policer.rate) / 1e6) }
        if let outage { megabits *= 1 - Double(outage.length) / Double(outage.period) }
        if let handover, trace == nil { megabits *= 1 - Double(handover.length) / Double(handover.period) }
        return megabits
    }
}
