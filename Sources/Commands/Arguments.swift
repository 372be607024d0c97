import ArgumentParser
import Runtime
import Settings

// What stands on a command line as it stands in the configuration.
extension Log.Level: ExpressibleByArgument {}
extension Log.Format: ExpressibleByArgument {}
extension Configuration.Mode: ExpressibleByArgument {}

extension Lifetime: ExpressibleByArgument {
    /// Reads `24h` from the command line.
    public init?(argument: String) { self.init(argument) }

    /// `24h`
    public var defaultValueDescription: String { description }
}

extension HostPort: ExpressibleByArgument {
    /// Reads `HOST:PORT` from the command line.
    public init?(argument: String) { self.init(argument) }
}
