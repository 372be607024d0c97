/// Totals of a peer's paths, by name. Computed when paths and sessions end, and on request.
public struct PeerUsage: Sendable {
    /// Bytes of datagrams sent and received, by the path's name.
    public private(set) var bytes: [String: (sent: UInt64, received: UInt64)] = [:]
    /// Names are chosen by the peer: beyond this many, the rest count as one path.
    private static let maximumNames = 64

    /// Adds a path's totals.
    mutating func add(_ path: borrowing Path) {
        add(path.usageName, path.counters.sentBytes, path.counters.receivedBytes)
    }

    /// Adds another peer usage's totals.
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
    /// The peer's name for the path, or its number.
    var usageName: String { name.isEmpty ? "path\(id)" : name }
}
