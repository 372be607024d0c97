/// What the paths of a peer have carried, by their names. Looked at when paths and sessions end, and when somebody asks.
public struct PeerUsage: Sendable {
    /// Bytes of datagrams sent and received, by the path's name.
    public private(set) var bytes: [String: (sent: UInt64, received: UInt64)] = [:]
    /// Names are the peer's to choose: with more than so many, the rest is one path's.
    private static let maximumNames = 64

    /// Adds what a path has carried.
    mutating func add(_ path: borrowing Path) {
        add(path.usageName, path.counters.sentBytes, path.counters.receivedBytes)
    }

    /// Adds another's.
    mutating func add(_ other: PeerUsage) {
        for (name, bytes) in other.bytes { add(name, bytes.sent, bytes.received) }
    }

    private mutating func add(_ name: String, _ sent: UInt64, _ received: UInt64) {
        let name = bytes[name] != nil || bytes.count < Self.maximumNames ? name : "other"
        bytes[name, default: (0, 0)].sent += sent
        bytes[name, default: (0, 0)].received += received
    }
}

extension Path {
    /// What the peer calls the path, or its number.
    var usageName: String { name.isEmpty ? "path\(id)" : name }
}
