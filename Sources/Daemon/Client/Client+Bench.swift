import ControlProtocol
import Engine
import Packet

// `bondd bench`: the daemon generates test traffic for half a second per request and reports the result.
extension Client {
    /// Measures the path of that name, or all, for half a second more, and answers with the counters.
    func bench(_ name: String?, towardsServer: Bool?, now: Instant) -> Response {
        let path = paths.first { $0.configuration.name == name }
        if let name, path == nil {
            return .failed("there is no path \"\(name)\"; bondd status lists the paths")
        }
        guard plane.engine.measure(path?.id, towardsServer: towardsServer, now: now),
            let report = plane.engine.benchReport,
            let session = plane.engine.reports(now: now).first
        else { return .failed("there is no session with the server; see bondd status") }
        return .bench(
            BenchStatus(
                clock: now.microseconds, received: report.received, serverClock: report.peer?.time ?? 0,
                serverReceived: report.peer?.bytes ?? 0, unrepaired: session.counters.unrepaired,
                paths: session.paths.map {
                    BenchStatus.Path(status: PathStatus($0, of: self.path($0.id)), expected: $0.expected)
                }))
    }
}
