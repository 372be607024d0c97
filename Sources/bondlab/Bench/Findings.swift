/// What a run of a scenario brought to light.
struct Findings {
    /// Figures.
    var samples: [Sample] = []
    /// What else a reader has to know, in a sentence each.
    var notes: [String] = []
    /// Courses of figures, for plots.
    var series: [Series] = []
    /// Courses of drives, for plots.
    var courses: [DriveCourse] = []

    static func + (a: Findings, b: Findings) -> Findings {
        Findings(
            samples: a.samples + b.samples, notes: a.notes + b.notes, series: a.series + b.series,
            courses: a.courses + b.courses)
    }
}

/// The course of a figure over time.
struct Series: Encodable {
    /// What it shows.
    let name: String
    /// In words, what happened at which second.
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
