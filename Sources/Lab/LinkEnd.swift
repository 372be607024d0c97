/// The two ends of a link.
public enum LinkEnd: Int, CaseIterable, Sendable {
    /// The end at which the link originates.
    case client = 0
    /// The opposite end.
    case server = 1

    /// The other end.
    public var other: LinkEnd { self == .client ? .server : .client }
}

/// The two directions of a link.
public enum LinkDirection: Int, CaseIterable, Sendable {
    /// From client to server.
    case up = 0
    /// From server to client.
    case down = 1
}
