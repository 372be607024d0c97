import Packet

extension Configuration {
    /// `[[rule]]`: a service behind the tunnel that is published.
    public struct Rule: Equatable, Sendable {
        /// The rule's name; no two have the same, and none is a number alone, as a control plane's are.
        public let name: String
        /// Its transport protocol. The raw value is the configuration's word.
        public let transport: RuleTransport
        /// The ports that it listens on; one for `listen_port`, at most `maximumPorts`.
        public let ports: ClosedRange<UInt16>
        /// The address of this host that it listens on; nil: every one.
        public let listenAddress: IPAddress?
        /// Where to, 1 to `maximumTargets`, the lowest priority that answers; one with a range of ports.
        public let targets: [RuleTarget]
        /// Whether they were given as `targets`.
        public let listsTargets: Bool
        /// The server names (TLS SNI) that it is for, lower case: `host.example` or `*.example`; nil: all others on the port.
        public let serverName: String?
        /// Whether names of targets are rather resolved to IPv6.
        public let preferIPv6: Bool
        /// How often targets are probed, in seconds; 0: never.
        public let probeInterval: Int
        /// How many UDP flows it carries at once; nil: not said, 1024.
        public let maximumUDPFlows: Int?
        /// How long a silent UDP flow is remembered, in seconds; nil: not said, 60.
        public let udpFlowIdle: Int?
        /// What it may take.
        public let limit: RuleLimit
        /// Whether targets may be outside the tunnel.
        public let allowsOutside: Bool

        /// The most ports of a range.
        public static let maximumPorts = 1024
        /// The most targets.
        public static let maximumTargets = 8
    }

    /// A rule's transport protocol.
    public enum RuleTransport: String, Keyword, Sendable {
        /// TCP.
        case tcp
        /// UDP.
        case udp
    }

    /// Where a rule leads.
    public struct RuleTarget: Equatable, Sendable {
        /// An IP address or a DNS name, without brackets.
        public let host: String
        /// The port that the rule's first leads to; the others follow by their offset.
        public let port: UInt16
        /// Lower ones are tried first.
        public let priority: Int
        /// The version of the PROXY protocol header that connections begin with: 1 or 2; nil: none.
        public let proxyProtocol: Int?
    }

    /// `limit` of a rule: what it may take; nil: as much as it likes.
    public struct RuleLimit: Equatable, Sendable {
        /// From users to targets, in bytes a second.
        public var bytesIn: Int?
        /// From targets to users, in bytes a second.
        public var bytesOut: Int?
        /// Connections at once.
        public var connections: Int?
        /// New connections or UDP flows a second.
        public var connectionRate: Int?
        /// How much may come at once after a pause, in bytes; nil: a second's worth.
        public var burstIn: Int?
        /// As `burstIn`, towards users.
        public var burstOut: Int?
        /// How many connections may come at once after a pause; nil: a second's worth.
        public var connectionBurst: Int?
    }
}
