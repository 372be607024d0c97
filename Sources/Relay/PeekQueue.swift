/// The ends of the list of connections waiting for a server name, by number; the links are in the connections.
struct PeekQueue {
    var oldest: Int32 = -1
    var newest: Int32 = -1
    var count = 0

    /// Maximum number of waiting connections. One more evicts the one that has waited longest: a genuine client
    /// sends the name within a round trip, and slow ones cannot lock out others.
    static let maximum = 1024
}
