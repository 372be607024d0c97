import Packet

/// A listening socket.
struct Listener {
    let socket: Int32
    /// The number of its port.
    let port: Int
    /// The address it is bound to.
    let address: IPAddress
}
