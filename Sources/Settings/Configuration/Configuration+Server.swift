import Packet

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
        /// `[portunus]`: the control plane's bundle file; nil without the table.
        public let portunusBundle: String?
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
    }

    /// `[offer]`
    public struct Offer: Equatable, Sendable {
        /// The name servers that clients use while the tunnel is up; at most 4.
        public let dns: [IPAddress]
        /// The networks behind the server that clients lead into the tunnel; at most 32.
        public let routes: [CIDR]
    }

    /// `[nat]`
    public struct NAT: Equatable, Sendable {
        /// Whether clients reach the internet with the server's address.
        public let enabled: Bool
        /// The interfaces they leave through; nil: where the default route leads.
        public let egress: [String]?
    }

    /// `[[rule]]`: a service behind the tunnel that is published.
    public struct Rule: Equatable, Sendable {
        /// The rule's name; no two have the same.
        public let name: String
        /// Its transport protocol. The raw value is the configuration's word.
        public let transport: RuleTransport
        /// The ports that it listens on; one for `listen_port`.
        public let ports: ClosedRange<UInt16>
        /// Where to; with more than one the lowest priority that answers.
        public let targets: [RuleTarget]
        /// Whether names of targets are rather resolved to IPv6.
        public let preferIPv6: Bool
        /// How many UDP flows it carries at once.
        public let maximumUDPFlows: Int
        /// How long a silent UDP flow is remembered, in seconds.
        public let udpFlowIdle: Int
    }

    /// A rule's transport protocol.
    public enum RuleTransport: String, CaseIterable, Sendable {
        /// TCP.
        case tcp
        /// UDP.
        case udp
    }

    /// Where a rule leads.
    public struct RuleTarget: Equatable, Sendable {
        /// An IP address or a DNS name, without brackets.
        public let host: String
        /// The ports; as many as the rule listens on, or one for all.
        public let ports: ClosedRange<UInt16>
        /// Lower ones are tried first.
        public let priority: Int
        /// Whether the connection begins with a PROXY protocol header.
        public let proxyProtocol: Bool
    }
}
