import Foundation
import Glibc
import Lab

/// The conditions under which figures were measured.
struct Machine: Encodable {
    let date: String
    let processor: String
    let cores: Int
    let kernel: String
    let command: String
    /// The load of the last minute when the bench began: figures from a busy machine are of little use.
    let load: Double

    init() throws {
        date = ISO8601DateFormatter().string(from: Date())
        let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = information.split(separator: "\n").first { $0.hasPrefix("model name") }
        processor =
            model.map { $0.drop { $0 != ":" }.dropFirst().trimmingCharacters(in: .whitespaces) } ?? "unknown"
        cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        kernel = try Child.run(["uname", "-sr"]).trimmingCharacters(in: .whitespacesAndNewlines)
        let words = ["bondlab"] + CommandLine.arguments.dropFirst()
        command = words.joined(separator: " ")
        var loads = [0.0]
        _ = getloadavg(&loads, 1)
        load = loads[0]
    }

    var lines: [String] {
        [
            "Date: \(date)", "Machine: \(processor), \(cores) cores, \(kernel)", "Command: \(command)",
            "Load before: \(Format.number(load, decimals: 2))",
        ]
    }
}
