import Engine
import Proto
import Transport

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
    /// The offloads of its sockets.
    let sockets: [SocketReport]
    /// Drops by reason.
    let drops: [String: UInt64]
}

/// The offloads of a socket.
struct SocketReport: Sendable {
    /// Its number, as links name it.
    let number: UInt16
    let segmentation: SocketOffload
    let joining: SocketOffload
}
