import Packet

/// How an init arrived.
struct InitArrival {
    let link: Link
    /// Whether it returned a cookie.
    let hasCookie: Bool
    /// Whether another shard received it from the network.
    let isForwarded: Bool
}
