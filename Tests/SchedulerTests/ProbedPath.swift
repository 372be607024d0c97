import Packet
import Scheduler

/// A path's liveness on a clock in milliseconds.
final class ProbedPath {
    static let start = Instant(nanoseconds: 10_000_000_000)
    private var path = PathLiveness(now: start)

    var state: PathLiveness.State { path.state }
    var isUp: Bool { path.isUp }
    var probeDue: Instant { path.probeDue }
    var since: Instant { path.since }

    static func at(_ milliseconds: Int64) -> Instant { start + .milliseconds(milliseconds) }

    /// A path that has come up at 0.
    static func up() -> ProbedPath {
        let path = ProbedPath()
        path.answered(0, alone: true)
        return path
    }

    @discardableResult func answered(_ time: Int64, alone: Bool = false) -> Bool {
        path.answered(now: Self.at(time), alone: alone)
    }
    @discardableResult func stayedSilent(_ time: Int64) -> Bool { path.stayedSilent(now: Self.at(time)) }
    @discardableResult func fail(_ time: Int64) -> Bool { path.fail(now: Self.at(time)) }
    func nudge(_ time: Int64) { path.nudge(now: Self.at(time)) }
    func probeLeft(_ time: Int64) { path.probeLeft(now: Self.at(time)) }
    func givesUpAt(_ rtt: borrowing RoundTripTime) -> Instant { path.givesUpAt(rtt) }

    /// Sends the probes due until `end`; returns their times.
    func probes(until end: Int64) -> [Int64] {
        var times: [Int64] = []
        while path.probeDue <= Self.at(end) {
            times.append((path.probeDue - Self.start).microseconds / 1000)
            path.probeLeft(now: path.probeDue)
            precondition(times.count < 1000, "probes never end")
        }
        return times
    }
}
