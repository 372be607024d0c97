import CLinux
import Glibc
import Packet
import Rules
import Transport

/// How a connection to a target in the tunnel leaves this host: by the tunnel, or not at all. Without bondd the tunnel's networks
/// are not routed here, and a provider's network may have hosts with the same addresses.
struct TunnelWay {
    /// This host's own address in the tunnel.
    let source: IPAddress
    /// The tunnel's interface, if it is known.
    let interface: String?

    /// Ties a socket that is not connected yet to the tunnel.
    /// - Returns: 0, or a negative errno: EADDRNOTAVAIL without the tunnel.
    func bind(_ descriptor: Int32) -> Int32 {
        if let interface {
            // An interface that is not there has taken its addresses along, which is what counts then; before Linux 5.7 this needs
            // privileges that this program does not have.
            _ = setsockopt(
                descriptor, SOL_SOCKET, SO_BINDTODEVICE, interface, socklen_t(interface.utf8.count))
        }
        // The port is chosen when the target is known, so that many targets may have the same.
        _ = clinux_set_option(descriptor, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1)
        return SocketAddress.with(Endpoint(address: source, port: 0)) {
            Glibc.bind(descriptor, $0, $1) == 0 ? 0 : -errno
        }
    }
}

extension Reach {
    /// The way to a target, or nil when it is outside the tunnel.
    func way(to address: IPAddress) -> TunnelWay? {
        source(for: address).map { TunnelWay(source: $0, interface: interface) }
    }
}
