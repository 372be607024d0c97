/// Traffic of each client's paths since bondd started, including ended sessions.
public struct UsageReport: Hashable, Sendable, Codable {
    /// Identifies this run of the daemon, at whose start counters were 0.
    public var run: String
    /// The traffic of each path of each client.
    public var paths: [PathUsage]
    /// The digest of the configuration in force, as in `ConfigurationStatus`; nil if not reported.
    public var configuration: String?

    /// A report.
    public init(run: String, paths: [PathUsage] = []) {
        self.run = run
        self.paths = paths
    }
}
