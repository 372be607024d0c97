import Engine
import Proto

/// The report of one data thread.
struct ShardReport: Sendable {
    /// Its number.
    let shard: Int
    let sessions: [SessionReport]
    /// The bytes that each client's paths have carried.
    let usage: [(publicKey: PublicKey, usage: PeerUsage)]
    /// Handshakes completed.
    let handshakes: UInt64
    /// Handshakes that failed recently.
    let troubles: HandshakeTroubles
    /// Drops by reason.
    let drops: [String: UInt64]
}
