import ArgumentParser
import Proto
import Runtime
import Settings

// Values with the same syntax on the command line as in the configuration.
extension Log.Level: ExpressibleByArgument {}
extension Log.Format: ExpressibleByArgument {}

extension Mode: ExpressibleByArgument {
    /// Reads `stripe` from the command line.
    public init?(argument: String) { self.init(word: argument) }

    /// `stripe`
    public var defaultValueDescription: String { word }

    /// The words in the help.
    public static var allValueStrings: [String] { words }

    /// None: the words say it.
    public static var allValueDescriptions: [String: String] { [:] }
}

extension Lifetime: ExpressibleByArgument {
    /// Parses `24h` from the command line.
    public init?(argument: String) { self.init(argument) }

    /// `24h`
    public var defaultValueDescription: String { description }
}

extension HostPort: ExpressibleByArgument {
    /// Parses `HOST:PORT` from the command line.
    public init?(argument: String) { self.init(argument) }
}
