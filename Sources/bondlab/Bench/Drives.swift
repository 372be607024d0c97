import Foundation
import Lab
import LinkModel
import Simulation

/// Throughput of one flow over recorded drives: through the tunnel, over each link alone, and with Multipath
/// TCP.
struct Drives {
    private let round: Round
    private let directory: String
    private var findings = Findings()

    init(_ round: Round, directory: String) { (self.round, self.directory) = (round, directory) }

    mutating func measure() throws -> Findings {
        let files = try FileManager.default.contentsOfDirectory(atPath: directory)
            .filter { $0.hasSuffix(".csv") }.sorted()
        if files.isEmpty { findings.notes.append("There is no recorded drive (*.csv) in \(directory).") }
        for file in files {
            let drive = try RecordedDrive(
                path: "\(directory)/\(file)", scale: 0.4, networks: round.mixes.networks)
            Progress.tell("  \(drive.name) …")
            do {
                try measure(drive)
            } catch let error as LabError {
                findings.notes.append("\(drive.name): \(error)")
            }
        }
        return findings
    }

    private mutating func measure(_ drive: RecordedDrive) throws {
        let (stopper, seed) = (round.stopper, UInt64(round.number))
        let mix = Mix(drive, over: .whole(DriveRun.seconds))
        var course = DriveCourse(
            name: drive.name, interval: DriveRun.interval, offered: mix.course(every: DriveRun.interval))
        let cubic = try DriveRun.bond(drive, "cubic", stopper, seed: seed)
        add(cubic, "bond, Cubic", mix, atLeast: 0.85)
        course.add(cubic, "bondd, Cubic")
        add(try DriveRun.bond(drive, "bbr", stopper, seed: seed), "bond, BBR", mix, atLeast: 0.9)
        if round.mixes.withSingles {
            for (link, run) in zip(drive.links, try DriveRun.alone(drive, "cubic", stopper, seed: seed)) {
                add(run, "\(link.name) alone", mix)
            }
        }
        if round.mixes.withRivals && drive.links.count > 1 {
            for (congestion, name) in [("cubic", "Cubic"), ("bbr", "BBR")] {
                let run = try DriveRun.multipath(drive, congestion, stopper, seed: seed)
                add(run, "MPTCP, \(name)", mix)
                course.add(run, "MPTCP, \(name)")
            }
        }
        findings.courses.append(course)
    }

    private mutating func add(_ run: DriveRun, _ name: String, _ mix: Mix, atLeast share: Double? = nil) {
        func sample(
            _ figure: String, _ unit: String, _ value: Double, of ceiling: Double? = nil,
            _ bound: Sample.Bound? = nil
        ) {
            findings.samples.append(
                Sample("\(mix.name), \(name): \(figure)", unit, value, of: ceiling, bound))
        }
        sample(
            "flow", "Mbit/s", run.megabits, of: mix.ceiling, share.map { .atLeast($0 * mix.ceiling) })
        sample("ping, median", "ms", run.ping(0.5), run.idle?.medianRTT.map { .atMost($0 + 15) })
        sample("ping, p95", "ms", run.ping(0.95), run.idle?.medianRTT.map { .atMost($0 + 60) })
        sample("lost pings", "packets", Double(run.lost), run.idle.map { _ in .atMost(0) })
    }
}

/// Rates over a drive: the links' capacity and the flows' throughput.
struct DriveCourse: Encodable {
    /// A flow's course.
    struct Run: Encodable {
        let name: String
        /// Mbit/s in each interval.
        let megabits: [Double]
        /// Seconds since the start and round-trip time in ms of each answered ping, on the link with the
        /// shortest times.
        let pings: [[Double]]
    }

    let name: String
    /// Seconds between two values.
    let interval: Double
    /// Maximum rate of a flow in Mbit/s.
    let offered: [Double]
    private(set) var runs: [Run] = []

    init(name: String, interval: Double, offered: [Double]) {
        (self.name, self.interval, self.offered) = (name, interval, offered)
    }

    mutating func add(_ run: DriveRun, _ name: String) {
        let best = run.pings.min { ($0.medianRTT ?? .infinity) < ($1.medianRTT ?? .infinity) }
        let pings = best?.replies.map { [Double($0.sequence) * DriveRun.pingInterval, $0.rtt] } ?? []
        runs.append(Run(name: name, megabits: run.course, pings: pings))
    }
}
