/// An error in a configuration file.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// The file's path as the user gave it.
    public let file: String
    /// The line, counted from 1; nil if the error concerns the whole file.
    public let line: Int?
    /// The problem and the remedy.
    public let problem: String

    /// `bondd.toml:7: [tunnel] mode = "fast" is not a mode; use auto, stripe, preferred or redundant`
    public var description: String {
        if let line { "\(file):\(line): \(problem)" } else { "\(file): \(problem)" }
    }
}
