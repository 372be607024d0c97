import Engine
import Proto

/// How things stand at one data thread.
struct ShardReport: Sendable {
    /// Its number.
    let shard: Int
    let sessions: [SessionReport]
    /// What each client's paths have carried.
    let usage: [(publicKey: PublicKey, usage: PeerUsage)]
    /// Handshakes completed.
    let handshakes: UInt64
    /// Handshakes that led nowhere of late.
    let troubles: HandshakeTroubles
    /// Drops by reason.
    let drops: [String: UInt64]
}
