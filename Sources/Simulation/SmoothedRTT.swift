import Packet

/// A TCP sender's round-trip time and timeout (RFC 6298) with Linux' bounds.
struct SmoothedRTT {
    /// The smoothed round-trip time; zero before the first sample.
    private(set) var smoothed = Interval.zero
    private var variation = Interval.zero

    mutating func take(_ sample: Interval) {
        guard smoothed > .zero else {
            smoothed = sample
            variation = sample / 2
            return
        }
        let deviation = sample < smoothed ? smoothed - sample : sample - smoothed
        variation = variation * 3 / 4 + deviation / 4
        smoothed = smoothed * 7 / 8 + sample / 8
    }

    /// The retransmission timeout: at least 200 ms more than the round trip, a second before it is known.
    var timeout: Interval {
        smoothed == .zero ? .seconds(1) : smoothed + max(variation * 4, .milliseconds(200))
    }
}
