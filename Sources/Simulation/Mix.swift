import LinkModel

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

    /// A mix of links.
    public init(_ name: String, _ title: String, _ links: [LinkPlan], from sender: Side = .client) {
        self.name = name
        self.title = title
        self.links = links
        self.sender = sender
    }

    /// The share of a link's rate that is available to a flow.
    static let share = 0.897

    /// Maximum rate of a flow while it is measured, in Mbit/s.
    public var ceiling: Double { ceiling(Run.window.start, Run.window.end) }

    /// Each link alone, the one with the highest ceiling first.
    public var singles: [Mix] {
        links.map { Mix("single", "single", [$0], from: sender) }.sorted { $0.ceiling > $1.ceiling }
    }

    /// Maximum rate of a flow in Mbit/s between `start` and `end` (nanoseconds since the flows began).
    func ceiling(_ start: UInt64, _ end: UInt64) -> Double {
        links.reduce(0) { $0 + Self.ceiling($1, from: sender, start, end) }
    }

    static func ceiling(_ link: LinkPlan, from sender: Side, _ start: UInt64, _ end: UInt64) -> Double {
        link.shapes(from: sender, start, end).reduce(0) { sum, part in
            part.shape.isDown ? sum : sum + part.share * Double(part.shape.rate) / 1e6 * (1 - part.shape.loss)
        } * share
    }

    /// Minimum over time, until `end`, of the sum of the links' rates, in bits per second.
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
