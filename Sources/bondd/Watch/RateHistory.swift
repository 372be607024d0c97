/// Rates of about the last minute, one sample per reading of the daemon's counters, in Mbit/s.
struct RateHistory {
    /// One reading.
    struct Sample: Equatable {
        var sent: Double
        var received: Double
    }

    /// As many samples as the widest sparkline shows.
    static let capacity = 60

    /// Oldest first.
    private(set) var samples: [Sample] = []

    /// The latest sample; 0 before the second reading.
    var latest: Sample { samples.last ?? Sample(sent: 0, received: 0) }

    /// Adds a sample and drops those that are too old.
    mutating func append(_ sample: Sample) {
        samples.append(sample)
        if samples.count > Self.capacity { samples.removeFirst(samples.count - Self.capacity) }
    }
}
