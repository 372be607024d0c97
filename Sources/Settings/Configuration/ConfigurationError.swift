/// What is wrong with a configuration file.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// The file as it was named.
    public let file: String
    /// The line, from 1; nil when it is about the whole file.
    public let line: Int?
    /// What is wrong there and what to do.
    public let problem: String

    /// `bondd.toml:7: [tunnel] mode = "fast" is not a mode; use auto, stripe, preferred or redundant`
    public var description: String {
        if let line { "\(file):\(line): \(problem)" } else { "\(file): \(problem)" }
    }
}
