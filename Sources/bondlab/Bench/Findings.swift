/// The results of a run of a scenario.
struct Findings {
    /// Figures.
    var samples: [Sample] = []
    /// Notes for the reader, one sentence each.
    var notes: [String] = []
    /// Figures over time, for plots.
    var series: [Series] = []

    static func + (a: Findings, b: Findings) -> Findings {
        Findings(samples: a.samples + b.samples, notes: a.notes + b.notes, series: a.series + b.series)
    }
}

/// The course of a figure over time.
struct Series: Encodable {
    /// The name of the figure.
    let name: String
    /// The events, with their time in seconds.
    let events: [Event]
    /// Seconds between two values.
    let interval: Double
    /// Mbit/s, the first at second 0.
    let values: [Double]

    struct Event: Encodable {
        let second: Double
        let name: String
    }
}
