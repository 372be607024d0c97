/// bondd's rules in the host's firewall.
public struct FirewallStatus: Hashable, Sendable, Codable {
    /// A server's NAT for its clients; nil without `[nat]`.
    public var nat: NAT?
    /// Whether a client's kill switch is on.
    public var killSwitch: Bool
    /// Packets that would have left outside the tunnel since the kill switch was last renewed.
    public var refusedPackets: UInt64

    /// A server's NAT for its clients. Counters restart at 0 whenever the rules are renewed.
    public struct NAT: Hashable, Sendable, Codable {
        /// The egress interfaces.
        public var egress: [String]
        /// Packets from clients sent through them.
        public var sentPackets: UInt64
        /// Bytes of those.
        public var sentBytes: UInt64
        /// Packets received for clients.
        public var receivedPackets: UInt64
        /// Bytes of those.
        public var receivedBytes: UInt64

        private enum CodingKeys: String, CodingKey {
            case egress
            case sentPackets = "tx_packets"
            case sentBytes = "tx_bytes"
            case receivedPackets = "rx_packets"
            case receivedBytes = "rx_bytes"
        }

        /// NAT without traffic.
        public init(egress: [String]) {
            self.egress = egress
            (sentPackets, sentBytes, receivedPackets, receivedBytes) = (0, 0, 0, 0)
        }
    }

    private enum CodingKeys: String, CodingKey {
        case nat
        case killSwitch = "kill_switch"
        case refusedPackets = "refused_packets"
    }

    /// A firewall's status.
    public init(nat: NAT? = nil, killSwitch: Bool = false, refusedPackets: UInt64 = 0) {
        self.nat = nat
        self.killSwitch = killSwitch
        self.refusedPackets = refusedPackets
    }
}
