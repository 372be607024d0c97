/// A client's name servers.
public struct NamesStatus: Hashable, Sendable, Codable {
    /// Their source: `file`, `offer` (the server), `host` or `fallback` (public ones).
    public var source: String
    /// The servers that are queried.
    public var servers: [String]
    /// The interfaces over which servers are queried outside the tunnel, by server.
    public var outside: [String: String]
    /// Whether it is known which of them answer.
    public var settled: Bool

    /// Name servers and their source.
    public init(source: String, servers: [String], outside: [String: String] = [:], settled: Bool) {
        (self.source, self.servers, self.outside, self.settled) = (source, servers, outside, settled)
    }
}
