import ArgumentParser
import Settings

// Values with the same syntax on the command line as in the configuration.
extension Log.Level: ExpressibleByArgument {}
extension Log.Format: ExpressibleByArgument {}
extension Configuration.Mode: ExpressibleByArgument {}

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
