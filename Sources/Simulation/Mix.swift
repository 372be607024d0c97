import LinkModel

/// A row of the simulation table: links between the two ends, and which way the traffic goes.
public struct Mix: Sendable {
    /// How it is called on the command line and in the table: no spaces.
    public let name: String
    /// The links as people write them.
    public let title: String
    /// Path by path.
    public let links: [LinkPlan]
    /// Which end sends the bulk of the traffic.
    public let sender: Side

    /// A mix.
    public init(_ name: String, _ title: String, _ links: [LinkPlan], from sender: Side = .client) {
        self.name = name
        self.title = title
        self.links = links
        self.sender = sender
    }

    /// What a flow can get of a link's rate.
    static let share = 0.897

    /// Mbit/s that a flow could get at best while it is measured.
    public var ceiling: Double { ceiling(Run.window.start, Run.window.end) }

    /// Each link alone, the one with the highest ceiling first.
    public var singles: [Mix] {
        links.map { Mix("single", "single", [$0], from: sender) }.sorted { $0.ceiling > $1.ceiling }
    }

    /// The Mbit/s that a flow could get at best between `start` and `end` (nanoseconds since the flows began).
    func ceiling(_ start: UInt64, _ end: UInt64) -> Double {
        links.reduce(0) { $0 + Self.ceiling($1, from: sender, start, end) }
    }

    static func ceiling(_ link: LinkPlan, from sender: Side, _ start: UInt64, _ end: UInt64) -> Double {
        link.shapes(from: sender, start, end).reduce(0) { sum, part in
            part.shape.isDown ? sum : sum + part.share * Double(part.shape.rate) / 1e6 * (1 - part.shape.loss)
        } * share
    }

    /// The least sum of the links' rates that there ever is until `end`, in bits per second.
    func leastRate(until end: UInt64) -> UInt64 {
        var least = UInt64.max
        let moments: [UInt64] = links.flatMap { link in link.steps.map { $0.time } }
        for moment in [0] + moments where moment < end {
            var sum: UInt64 = 0
            for link in links {
                // What holds from this moment on: the shape of the nanosecond after it.
                let shape = link.shapes(from: sender, moment, moment + 1).last!.shape
                if !shape.isDown { sum += shape.rate }
            }
            least = min(least, sum)
        }
        return least
    }
}
