import Glibc
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
        let files = try #require(Self.swiftFiles(in: directory))
        #expect(files.count > 40)
        for file in files {
            let lines = try #require(Self.lines(of: file))
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

    private static func swiftFiles(in directory: String) -> [String]? {
        guard let stream = opendir(directory) else { return nil }
        defer { closedir(stream) }
        var files: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(".") { continue }
            if name.hasSuffix(".swift") {
                files.append(directory + "/" + name)
            } else {
                files += swiftFiles(in: directory + "/" + name) ?? []
            }
        }
        return files
    }

    private static func lines(of file: String) -> [Substring]? {
        guard let stream = fopen(file, "r") else { return nil }
        defer { fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, stream)
        return String(decoding: bytes[..<count], as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
    }
}
