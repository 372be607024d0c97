import Foundation
import Glibc
import Lab

/// A program outside this repository: a minimal tunnel in C, without most of what a real one needs. Its speed on
/// the machine is an upper bound for any tunnel with one thread at each end.
struct CeilingProbe {
    /// The script that builds and runs it.
    let path: String

    /// The script named by the environment (CEILING); nil if it names none.
    init?() {
        guard let path = ProcessInfo.processInfo.environment["CEILING"], !path.isEmpty else { return nil }
        self.path = path
    }

    /// Measures its flows with a cipher, `chacha` or `aes`, in Mbit/s; takes a quarter of a minute.
    /// Throws `Interrupted`, or `LabError`.
    func measure(_ cipher: String, _ stopper: Stopper) throws -> [Double] {
        let child = try Child([path, cipher])
        // When asked to end, it removes its namespaces.
        defer { child.stop(within: 5) }
        for _ in 0..<600 where child.isRunning { try stopper.wait(seconds: 0.1) }
        let values = Self.values(in: child.output, cipher)
        guard !values.isEmpty else {
            throw LabError.unreadable(program: path, output: child.output + child.errors)
        }
        return values
    }

    /// Parses Mbit/s from lines such as `chacha 2.34 Gbit/s`.
    static func values(in output: String, _ cipher: String) -> [Double] {
        output.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 3, words[0] == cipher, words[2] == "Gbit/s" else { return nil }
            return Double(words[1]).map { $0 * 1000 }
        }
    }
}
