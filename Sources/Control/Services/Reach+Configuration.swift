import Rules
import Settings

extension Reach {
    /// The networks inside a server's tunnel.
    init(_ tunnel: Configuration.Tunnel) {
        self.init(
            networks: tunnel.addresses.map { ($0.address, $0.length) }, own: tunnel.addresses.map(\.address),
            interface: tunnel.interface)
    }
}
