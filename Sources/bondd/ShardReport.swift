import Engine

/// How things stand at one data thread.
struct ShardReport: Sendable {
    /// Its number.
    let shard: Int
    let sessions: [SessionReport]
    /// Handshakes completed.
    let handshakes: UInt64
    /// What was dropped, by reason.
    let drops: [String: UInt64]
}
