import Packet
import Settings

/// The configuration that `bondd init` writes.
struct ServerText {
    /// The port that servers listen on by default.
    static let usualPort: UInt16 = 5000
    /// The file's first line, by which a later run recognizes it.
    static let beginning = "# Written by bondd init."

    let text: String

    /// - Parameters:
    ///   - addresses: the server's addresses in the tunnel.
    ///   - endpoints: the addresses where clients reach the server.
    ///   - dns: the name servers offered to clients.
    init(interface: String, addresses: [CIDR], port: UInt16, endpoints: [HostPort], dns: [IPAddress]) {
        // A host without IPv6 in the tunnel has none outside, either.
        let hasIPv6 = addresses.contains { $0.address.family == .v6 }
        let listen = ["0.0.0.0:\(port)"] + (hasIPv6 ? ["[::]:\(port)"] : [])
        text = """
            \(Self.beginning) man 5 bondd.toml has every key; after a change: systemctl reload bondd bondd-control
            [tunnel]
            role = "server"
            interface = \(TOMLText.string(interface))
            address = \(TOMLText.list(addresses))
            private_key_file = "server.key"

            [listen]
            addresses = \(TOMLText.list(listen))
            # Where clients reach this server, for invitations.
            endpoints = \(TOMLText.list(endpoints))

            # Clients reach the internet with this host's address, by the interfaces of its default routes.
            [nat]
            enabled = true

            # For clients that have no dns and routes of their own. They ask these name servers through the tunnel.
            [offer]
            dns = \(TOMLText.list(dns))

            # curl http://127.0.0.1:8098/healthz, and /readyz, /metrics, /status
            [health]
            listen = "127.0.0.1:8098"

            """
    }
}
