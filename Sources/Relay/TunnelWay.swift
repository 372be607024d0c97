import CLinux
import Glibc
import Packet
import Rules
import Transport

/// How a connection to a target in the tunnel leaves this host: through the tunnel, or not at all. Without
/// bondd the tunnel's networks are not routed here, and a provider's network may have hosts with the same
/// addresses.
struct TunnelWay {
    /// This host's own address in the tunnel.
    let source: IPAddress
    /// The tunnel's interface, if known.
    let interface: String?

    /// Binds an unconnected socket to the tunnel.
    /// - Returns: 0, or a negative errno: EADDRNOTAVAIL without the tunnel.
    func bind(_ descriptor: Int32) -> Int32 {
        if let interface {
            // If the interface is gone, so are its addresses, and binding fails below; before Linux 5.7 this
            // call needs privileges that this program does not have.
            _ = setsockopt(
                descriptor, SOL_SOCKET, SO_BINDTODEVICE, interface, socklen_t(interface.utf8.count))
        }
        // The port is chosen once the target is known, so that many targets can share it.
        _ = clinux_set_option(descriptor, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1)
        return SocketAddress.with(Endpoint(address: source, port: 0)) {
            Glibc.bind(descriptor, $0, $1) == 0 ? 0 : -errno
        }
    }
}

extension Reach {
    /// The way to a target; nil if it is outside the tunnel.
    func way(to address: IPAddress) -> TunnelWay? {
        source(for: address).map { TunnelWay(source: $0, interface: interface) }
    }
}
