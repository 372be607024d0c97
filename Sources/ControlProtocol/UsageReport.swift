/// What each client's paths have carried since bondd started, sessions that have ended included.
public struct UsageReport: Hashable, Sendable, Codable {
    /// Numbers this run of the daemon: counters began at 0 with it.
    public var run: String
    /// A client's part, one for each path that it had.
    public var paths: [PathUsage]
    /// The digest of the configuration in force, as in `ConfigurationStatus`; nil: not said.
    public var configuration: String?

    /// A report.
    public init(run: String, paths: [PathUsage] = []) {
        self.run = run
        self.paths = paths
    }
}
