/// An error in a configuration file.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// The file's path as the user gave it.
    package let file: String
    /// The line, counted from 1; nil if the error concerns the whole file.
    package let line: Int?
    /// The problem and the remedy.
    package let problem: String

    /// `bondd.toml:7: [tunnel] mode = "fast" is not a mode; use auto, stripe, preferred, redundant or throughput`
    package var description: String {
        if let line { "\(file):\(line): \(problem)" } else { "\(file): \(problem)" }
    }
}
