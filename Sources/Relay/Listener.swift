import Packet

/// A socket on which a port is listened on.
struct Listener {
    let socket: Int32
    /// The number of the port that it is of.
    let port: Int
    /// The address that it is bound to.
    let address: IPAddress
}
