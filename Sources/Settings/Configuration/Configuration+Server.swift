import Packet
import Rules

extension Configuration {
    /// What only a server has.
    public struct Server: Equatable, Sendable {
        /// `[listen]`: where it waits for clients; at least one.
        public let listen: [Endpoint]
        /// `[listen]`: where clients reach it, for invitations; empty: not said.
        public let endpoints: [HostPort]
        /// `[[client]]`, in the file's order.
        public let clients: [KnownClient]
        /// `[offer]`: what clients are told that do not say otherwise themselves.
        public let offer: Offer
        /// `[nat]`; nil without the table.
        public let nat: NAT?
        /// `[portunus]`; nil without the table.
        public let portunus: Portunus?
        /// `[[rule]]`, in the file's order.
        public let rules: [Rule]
    }

    /// `[[client]]`
    public struct KnownClient: Equatable, Sendable {
        /// The client's name; no two have the same.
        public let name: String
        /// Its public key: 32 bytes (X25519); no two have the same.
        public let publicKey: [UInt8]
        /// Its addresses in the tunnel, all of them in the server's networks; no two clients share one.
        public let addresses: [IPAddress]
        /// The key that both ends know beside the public ones; nil: none.
        public let presharedKey: KeyFile?
        /// The networks behind it that are routed to it; none of them meets the tunnel's or another client's.
        public let networks: [CIDR]
    }

    /// `[offer]`
    public struct Offer: Equatable, Sendable {
        /// The name servers that clients use while the tunnel is up; at most 4.
        public let dns: [IPAddress]
        /// The networks behind the server that clients lead into the tunnel; at most 32.
        public let routes: [CIDR]
    }

    /// `[portunus]`: the control plane whose rules the server carries.
    public struct Portunus: Equatable, Sendable {
        /// What enrolment gave; nil: where bondd-control keeps it.
        public let bundleFile: String?
        /// Whether its rules may lead to targets outside the tunnel.
        public let allowsOutside: Bool
    }

    /// `[nat]`
    public struct NAT: Equatable, Sendable {
        /// Whether clients reach the internet with the server's address.
        public let enabled: Bool
        /// The interfaces they leave through; nil: where the default route leads.
        public let egress: [String]?
        /// Whether hosts beyond the egress interfaces may open connections to clients, if this host forwards.
        public let allowsInbound: Bool
    }
}
