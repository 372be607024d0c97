import Foundation
import Testing

/// The groups of suites that `make end-to-end` starts. `LANE` in the environment names the one to run; without it all run.
enum Lane: String, CaseIterable {
    /// Suites that wait more than they work. The two lanes of them and `services` run at the same time.
    case waiting, waitingToo = "waiting-too"
    /// Services behind the tunnel, one test at a time, as these share the control plane's ports.
    case services
    /// Suites that measure throughput, latency, or CPU time, and so run with nothing next to them.
    case measuring

    /// `nil` if `LANE` is unset.
    static let requested = getenv("LANE").map { String(cString: $0) }
}

extension Trait where Self == ConditionTrait {
    /// Runs the suite in this lane only.
    static func lane(_ lane: Lane) -> Self {
        .enabled(if: Lane.requested.map { $0 == lane.rawValue } ?? true, "runs in another lane")
    }
}

/// A suite without a lane would run in each of them, as this one does.
@Suite struct LaneTests {
    @Test func everySuiteHasALane() throws {
        let directory = String(#filePath.dropLast("/Lane.swift".count))
        let files = try #require(FileManager.default.subpaths(atPath: directory)).filter {
            $0.hasSuffix(".swift")
        }
        #expect(files.count > 40)
        for file in files {
            let text = try String(contentsOfFile: "\(directory)/\(file)", encoding: .utf8)
            let lines = text.components(separatedBy: "\n")
            for (number, line) in lines.enumerated()
            where line.hasPrefix("    @Suite") || line.hasPrefix("@Suite") {
                let text = lines[number..<min(number + 8, lines.count)].joined()
                #expect(
                    text.contains(".lane(.") || text.contains("enum EndToEndTests")
                        || text.contains("struct LaneTests"),
                    "\(file):\(number + 1) needs .lane(…)")
            }
        }
        #expect(Lane.requested.map { Lane(rawValue: $0) != nil } ?? true, "LANE names no lane")
    }
}
