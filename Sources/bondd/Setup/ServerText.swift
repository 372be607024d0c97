import Packet
import Settings

/// The configuration that `bondd init` writes.
struct ServerText {
    /// Where servers listen unless told otherwise.
    static let usualPort: UInt16 = 5000

    let text: String

    init(interface: String, addresses: [CIDR], port: UInt16, endpoints: [HostPort]) {
        func list(_ items: [some CustomStringConvertible]) -> String {
            "[" + items.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
        }
        text = """
            # Written by bondd init. man 5 bondd.toml has every key; after a change: systemctl reload bondd bondd-control
            [tunnel]
            role = "server"
            interface = "\(interface)"
            address = \(list(addresses))
            private_key_file = "server.key"

            [listen]
            addresses = ["0.0.0.0:\(port)", "[::]:\(port)"]
            # Where clients reach this server, for invitations.
            endpoints = \(list(endpoints))

            # Clients reach the internet with this host's address, by the interfaces of its default routes.
            [nat]
            enabled = true

            # What clients use that have no dns and routes of their own.
            [offer]
            # dns = ["10.77.0.1"]

            # curl http://127.0.0.1:8098/healthz, and /readyz, /metrics, /status
            [health]
            listen = "127.0.0.1:8098"

            """
    }
}
