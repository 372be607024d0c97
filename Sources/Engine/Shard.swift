/// Which of a server's shards an Engine is. Every peer belongs to one shard, whose thread has its sessions;
/// shards share nothing.
public struct Shard: Hashable, Sendable {
    /// Maximum number of shards: their number has three bits in a session ID (see `Keyring`).
    public static let maximum = 8
    /// The only shard, on a client and on a server with one data thread.
    public static let only = Shard(index: 0, count: 1)

    /// Its number, from 0.
    public let index: Int
    /// Number of shards.
    public let count: Int

    /// The shard with that number.
    /// - Precondition: `index` is below `count`, and `count` is at most 8.
    public init(index: Int, count: Int) {
        precondition(index >= 0 && index < count && count <= Self.maximum)
        self.index = index
        self.count = count
    }
}
