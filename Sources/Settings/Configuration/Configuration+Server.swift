import Packet
import Rules

extension Configuration {
    /// The configuration of a server.
    package struct Server: Equatable, Sendable {
        /// `[listen]`: the endpoints it listens on; at least one.
        package let listen: [Endpoint]
        /// `[listen]`: the endpoints at which clients reach it, for invitations; empty if not given.
        package let endpoints: [HostPort]
        /// `[[client]]`, in file order.
        package let clients: [KnownClient]
        /// `[offer]`: settings for clients that do not set their own.
        package let offer: Offer
        /// `[nat]`; nil without the table.
        package let nat: NAT?
        /// `[portunus]`; nil without the table.
        package let portunus: Portunus?
        /// `[[rule]]`, in file order.
        package let rules: [Rule]
    }

    /// `[[client]]`
    package struct KnownClient: Equatable, Sendable {
        /// The client's name, unique among the clients.
        package let name: String
        /// Its public key: 32 bytes (X25519), unique among the clients.
        package let publicKey: [UInt8]
        /// Its addresses in the tunnel, all within the server's networks; no two clients share one.
        package let addresses: [IPAddress]
        /// The pre-shared key, if any.
        package let presharedKey: KeyFile?
        /// The networks behind it that are routed to it; none overlaps the tunnel's or another client's.
        package let networks: [CIDR]
        /// How much it may send and receive.
        package let limits: ClientLimits
    }

    /// A client's rates and priority.
    package struct ClientLimits: Equatable, Sendable {
        /// The highest rate in Mbit/s.
        package static let highestRate = 1_000_000.0

        /// Maximum rate from the client in Mbit/s; 0: none.
        package var rateUp = 0.0
        /// Maximum rate to the client in Mbit/s; 0: none.
        package var rateDown = 0.0
        /// Whose turn comes first, 0 to 3.
        package var priority = 1
    }

    /// `[offer]`
    package struct Offer: Equatable, Sendable {
        /// Name servers for clients to use while the tunnel is up; at most 4.
        package let dns: [IPAddress]
        /// Networks behind the server for clients to route into the tunnel; at most 32.
        package let routes: [CIDR]
    }

    /// `[portunus]`: the control plane whose rules the server carries out.
    package struct Portunus: Equatable, Sendable {
        /// The bundle from enrolment; nil means bondd-control's own location.
        package let bundleFile: String?
        /// Whether its rules may lead to targets outside the tunnel.
        package let allowsOutside: Bool
    }

    /// `[nat]`
    package struct NAT: Equatable, Sendable {
        /// Whether clients reach the internet through the server's address.
        package let enabled: Bool
        /// Egress interfaces; nil means those of the default routes.
        package let egress: [String]?
        /// Whether hosts beyond the egress interfaces may open connections to clients, if this host forwards
        /// packets.
        package let allowsInbound: Bool
    }
}
