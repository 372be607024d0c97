import ArgumentParser
import Commands
import ControlProtocol
import Glibc
import Runtime

/// `bondd bench`
struct MeasureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure each path and the bond to the server, up and down.",
        discussion: """
            On a client, with test traffic inside the tunnel. Other traffic shares the links and, while a path is \
            measured alone, uses that path as well. Metered paths are left out unless asked for.
            """)

    @OptionGroup var options: GlobalOptions

    @Option(help: "Seconds that each step counts, from 1 to 8, after 1.5 s.")
    var seconds = 2.5

    @Flag(help: "Also measure metered paths: each step moves as much data as the path carries.")
    var metered = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (1...8).contains(seconds) else { throw ValidationError("--seconds is a number from 1 to 8") }
    }

    func run() throws {
        var idle = try Measurement.ask(path: nil, isUp: nil, options.socket)
        // A path that has just come up has no round trip yet; 2 s is enough to measure one.
        for _ in 0..<20 where idle.paths.contains(where: { $0.status.state == "up" && $0.status.rtt == 0 }) {
            usleep(100_000)
            idle = try Measurement.ask(path: nil, isUp: nil, options.socket)
        }
        var report = MeasureReport()
        var measured: [String] = []
        for path in idle.paths.map(\.status) {
            let isWanted =
                path.role == "primary" || path.role == "backup" || path.role == "metered" && metered
            guard path.state == "up", isWanted else {
                let reason = path.state == "up" ? "its role is \(path.role)" : "it is \(path.state)"
                report.skipped.append("\(path.name) was not measured, because \(reason).")
                continue
            }
            measured.append(path.name)
        }
        guard !measured.isEmpty else {
            throw Failure("no path can be measured; see bondd status for their states and roles")
        }
        for name in measured {
            let (up, down) = try both(name)
            let trips = [up.trips[name], down.trips[name]].compactMap(\.self)
            report.paths.append(
                MeasureReport.Path(
                    name: name, idle: idle.paths.first { $0.status.name == name }?.status.rtt ?? 0,
                    loaded: trips.max() ?? 0, up: up.rate, down: down.rate, lossUp: up.loss[name] ?? 0,
                    lossDown: down.loss[name] ?? 0))
        }
        let (up, down) = try both(nil)
        report.bond = MeasureReport.Bond(up: up.rate, down: down.rate, isRepaired: up.isRepaired)
        if json {
            guard let line = try? Line.encode(report) else {
                throw Failure("the measurement can't be written as JSON")
            }
            print(String(decoding: line, as: UTF8.self), terminator: "")
        } else {
            print(report.text, terminator: "")
        }
    }

    private func both(_ path: String?) throws -> (up: Measurement.Result, down: Measurement.Result) {
        let results = try [true, false].map { isUp in
            if isatty(STDERR_FILENO) == 1 {
                let line = Array("\(path ?? "the bond"), \(isUp ? "up" : "down") …\n".utf8)
                _ = write(STDERR_FILENO, line, line.count)
            }
            return try Measurement(path: path, isUp: isUp, seconds: seconds, socket: options.socket).run()
        }
        return (results[0], results[1])
    }
}
