import Packet
import Rules

extension Configuration {
    /// The configuration of a server.
    public struct Server: Equatable, Sendable {
        /// `[listen]`: the endpoints it listens on; at least one.
        public let listen: [Endpoint]
        /// `[listen]`: the endpoints at which clients reach it, for invitations; empty if not given.
        public let endpoints: [HostPort]
        /// `[[client]]`, in file order.
        public let clients: [KnownClient]
        /// `[offer]`: settings for clients that do not set their own.
        public let offer: Offer
        /// `[nat]`; nil without the table.
        public let nat: NAT?
        /// `[portunus]`; nil without the table.
        public let portunus: Portunus?
        /// `[[rule]]`, in file order.
        public let rules: [Rule]
    }

    /// `[[client]]`
    public struct KnownClient: Equatable, Sendable {
        /// The client's name, unique among the clients.
        public let name: String
        /// Its public key: 32 bytes (X25519), unique among the clients.
        public let publicKey: [UInt8]
        /// Its addresses in the tunnel, all within the server's networks; no two clients share one.
        public let addresses: [IPAddress]
        /// The pre-shared key, if any.
        public let presharedKey: KeyFile?
        /// The networks behind it that are routed to it; none overlaps the tunnel's or another client's.
        public let networks: [CIDR]
    }

    /// `[offer]`
    public struct Offer: Equatable, Sendable {
        /// Name servers for clients to use while the tunnel is up; at most 4.
        public let dns: [IPAddress]
        /// Networks behind the server for clients to route into the tunnel; at most 32.
        public let routes: [CIDR]
    }

    /// `[portunus]`: the control plane whose rules the server carries out.
    public struct Portunus: Equatable, Sendable {
        /// The bundle from enrolment; nil means bondd-control's own location.
        public let bundleFile: String?
        /// Whether its rules may lead to targets outside the tunnel.
        public let allowsOutside: Bool
    }

    /// `[nat]`
    public struct NAT: Equatable, Sendable {
        /// Whether clients reach the internet through the server's address.
        public let enabled: Bool
        /// Egress interfaces; nil means those of the default routes.
        public let egress: [String]?
        /// Whether hosts beyond the egress interfaces may open connections to clients, if this host forwards
        /// packets.
        public let allowsInbound: Bool
    }
}
