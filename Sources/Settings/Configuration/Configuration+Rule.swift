import Packet

extension Configuration {
    /// `[[rule]]`: a published service behind the tunnel.
    public struct Rule: Equatable, Sendable {
        /// The rule's name, unique and never just a number, since a control plane's rules are numbered.
        public let name: String
        /// The transport protocol.
        public let transport: RuleTransport
        /// The ports it listens on, at most `maximumPorts`; a single one for `listen_port`.
        public let ports: ClosedRange<UInt16>
        /// The address of this host it listens on; nil means all of them.
        public let listenAddress: IPAddress?
        /// 1 to `maximumTargets` targets, of which the lowest priority that answers is used; exactly one for
        /// a range of ports.
        public let targets: [RuleTarget]
        /// Whether the configuration lists them as `targets`.
        public let listsTargets: Bool
        /// The server names (TLS SNI) it accepts, in lower case: `host.example` or `*.example`; nil means all
        /// others on the port.
        public let serverName: String?
        /// Whether target names are preferably resolved to IPv6.
        public let preferIPv6: Bool
        /// Interval between probes of the targets in seconds; 0 means never.
        public let probeInterval: Int
        /// Maximum number of concurrent UDP flows; nil means the default, 1024.
        public let maximumUDPFlows: Int?
        /// Idle timeout of a UDP flow in seconds; nil means the default, 60.
        public let udpFlowIdle: Int?
        /// Limits on the rule's traffic.
        public let limit: RuleLimit
        /// Whether targets may be outside the tunnel.
        public let allowsOutside: Bool

        /// Maximum number of ports in a range.
        public static let maximumPorts = 1024
        /// Maximum number of targets.
        public static let maximumTargets = 8
    }

    /// A rule's transport protocol. The raw value is the word in the configuration.
    public enum RuleTransport: String, CaseIterable, Sendable {
        /// TCP.
        case tcp
        /// UDP.
        case udp
    }

    /// A target of a rule.
    public struct RuleTarget: Equatable, Sendable {
        /// An IP address or a DNS name, without brackets.
        public let host: String
        /// The port for the rule's first port; the others follow at the same offset.
        public let port: UInt16
        /// Targets with lower values are tried first.
        public let priority: Int
        /// The PROXY protocol version of the header that precedes a connection, 1 or 2; nil means no header.
        public let proxyProtocol: Int?
    }

    /// `limit` of a rule; nil means unlimited.
    public struct RuleLimit: Equatable, Sendable {
        /// Rate from users to targets, in bytes per second.
        public var bytesIn: Int?
        /// Rate from targets to users, in bytes per second.
        public var bytesOut: Int?
        /// Concurrent connections.
        public var connections: Int?
        /// New connections or UDP flows per second.
        public var connectionRate: Int?
        /// Burst after a pause, in bytes; nil means a second's worth.
        public var burstIn: Int?
        /// Like `burstIn`, towards users.
        public var burstOut: Int?
        /// Burst of new connections after a pause; nil means a second's worth.
        public var connectionBurst: Int?
    }
}
