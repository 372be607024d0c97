import Packet

/// How an init came here.
struct InitArrival {
    let link: Link
    /// Whether it brought a cookie back.
    let hasCookie: Bool
    /// Whether another shard took it from the network.
    let isForwarded: Bool
}
