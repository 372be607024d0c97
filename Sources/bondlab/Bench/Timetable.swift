import Lab

/// A clock for scheduled events; meanwhile it samples the bytes received by an interface.
struct Timetable {
    /// Seconds between two readings of the interface.
    static let interval = 0.05

    private let stopper: Stopper
    private let meter: (namespace: Namespace, interface: String)?
    private let began = Clock.monotonic
    /// Bytes received at each multiple of `interval`.
    private var readings: [Int] = []

    /// Starts the clock.
    /// - Parameter meter: the interface whose received bytes are sampled.
    init(_ stopper: Stopper, reading meter: (namespace: Namespace, interface: String)? = nil) {
        self.stopper = stopper
        self.meter = meter
    }

    /// Waits until this many seconds after the start. Throws `Interrupted`.
    mutating func wait(until seconds: Double) throws {
        while true {
            let now = Clock.monotonic - began
            if let meter {
                // A thread that is late uses one reading for all moments it missed.
                let bytes = meter.namespace.receivedBytes(meter.interface) ?? 0
                while Double(readings.count) * Self.interval <= now { readings.append(bytes) }
            }
            let next = meter == nil ? seconds : min(Double(readings.count) * Self.interval, seconds)
            if now >= seconds { return }
            try stopper.wait(seconds: max(next - now, 0.001))
        }
    }

    /// Mbit/s received in each interval.
    var rates: [Double] {
        zip(readings, readings.dropFirst()).map { Double(max($1 - $0, 0)) * 8 / 1e6 / Self.interval }
    }

    /// Seconds from `start` until the mean over half a second first reaches `megabits`; infinite if it never does
    /// before `end`.
    func delay(from start: Double, to end: Double, until megabits: Double) -> Double {
        let rates = rates
        let window = Int(0.5 / Self.interval)
        let first = Int((start / Self.interval).rounded(.up))
        let last = min(Int(end / Self.interval), rates.count) - window
        guard first <= last else { return .infinity }
        for index in first...last
        where rates[index..<index + window].reduce(0, +) / Double(window) >= megabits {
            return Double(index) * Self.interval - start
        }
        return .infinity
    }
}
