import Host
import Packet

/// The host's routes as last read, and when they may be read again.
struct HostRoutes {
    /// The minimum time between two reads, because some hosts have many routes that change often.
    private static let shortestPause = Interval.milliseconds(50)

    private(set) var list: [NetworkRoute] = []
    /// Whether the routes may have changed since.
    private(set) var isStale = true
    private var readAt = Instant.zero
    private var pause = shortestPause

    /// Marks them as changed, so that they are read again soon.
    mutating func expire() { isStale = true }

    /// Begins a read, unless the last one is too recent.
    /// - Returns: nil if the read may begin; otherwise when it may.
    mutating func begin(now: Instant) -> Instant? {
        guard now - readAt >= pause else {
            isStale = true
            return readAt + pause
        }
        (isStale, readAt) = (false, now)
        return nil
    }

    /// The routes that were read.
    mutating func replace(with routes: [NetworkRoute]) { list = routes }

    /// Ends a read that took this long, with its consequences. The pause before the next grows with it,
    /// because some hosts have a million routes.
    mutating func end(after time: Interval) {
        pause = min(max(Self.shortestPause, time * 5), .seconds(5))
    }

    /// The interfaces with a default route in the main table.
    var defaultInterfaces: Set<UInt32> {
        Set(
            list.filter { $0.network.length == 0 && $0.table == NetworkRoute.mainTable }.map(\.interface))
    }
}
