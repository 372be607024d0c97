/// The ends of the list of connections that wait for a server name, by number; the list itself is in the connections.
struct PeekQueue {
    var oldest: Int32 = -1
    var newest: Int32 = -1
    var count = 0

    /// How many may wait. When there is one more, the one that has waited longest is dropped: somebody who means it has said the
    /// name within a round trip, and those who dawdle don't keep others out.
    static let maximum = 1024
}
