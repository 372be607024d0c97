/// The output of `bondd status --json` and `/status`. Keys are only ever added.
public struct Status: Hashable, Sendable, Codable {
    /// bondd's version.
    public var version: String
    /// The host's public key in base64; nil from versions that do not report it.
    public var publicKey: String?
    /// Identifies this run of the daemon, at whose start counters were 0. Nil from versions that do not report it.
    public var run: String?
    /// `client` or `server`.
    public var role: String
    /// `auto`, `stripe`, `preferred` or `redundant`.
    public var mode: String
    /// In `redundant` mode, how many paths carry each packet; 0 means all. Nil from versions that do not report
    /// it.
    public var redundantPaths: Int?
    /// The tunnel's interface.
    public var interface: String
    /// The tunnel's MTU in bytes.
    public var mtu: Int
    /// Seconds since the daemon started.
    public var uptime: Double
    /// Data threads.
    public var threads: Int
    /// Handshakes completed since the start.
    public var handshakes: UInt64
    /// At most one on a client, at most one for each client on a server.
    public var sessions: [SessionStatus]
    /// Packets dropped outside any session since the start, by reason.
    public var drops: [String: UInt64]
    /// The kernel's offloads; nil from versions that do not report them.
    public var offloads: OffloadStatus?
    /// The cipher; nil from versions that do not report it.
    public var cipher: CipherStatus?
    /// Server: the revision of bondd-control's last handover; nil if there was none.
    public var handover: Int?
    /// The configuration in force; nil from versions that do not report it.
    public var configuration: ConfigurationStatus?
    /// bondd's rules in the host's firewall; nil if there are none.
    public var firewall: FirewallStatus?
    /// Client: its name servers, once the tunnel is set up; nil from versions that do not report them.
    public var names: NamesStatus?
    /// Problems that keep bondd from carrying some or all traffic, one sentence each with what to do; `/readyz`
    /// fails while there are any. Nil from versions that do not report them.
    public var problems: [String]?
    /// Notices for the user, one sentence each: settings without effect in this version, and libraries that
    /// are not trusted.
    public var notices: [String]

    private enum CodingKeys: String, CodingKey {
        case version
        case publicKey = "public_key"
        case run, role, mode
        case redundantPaths = "redundant_paths"
        case interface, mtu
        case uptime = "uptime_s"
        case threads, handshakes, sessions, drops, offloads, cipher, handover, configuration, firewall,
            names, problems, notices
    }

    /// A status with counters at 0 and empty lists.
    public init(
        version: String, role: String, mode: String, redundantPaths: Int? = nil, interface: String, mtu: Int,
        uptime: Double,
        threads: Int = 1, handshakes: UInt64 = 0, sessions: [SessionStatus] = [],
        drops: [String: UInt64] = [:],
        offloads: OffloadStatus? = nil, cipher: CipherStatus? = nil, notices: [String] = []
    ) {
        self.version = version
        self.role = role
        self.mode = mode
        self.redundantPaths = redundantPaths
        self.interface = interface
        self.mtu = mtu
        self.uptime = uptime
        self.threads = threads
        self.handshakes = handshakes
        self.sessions = sessions
        self.drops = drops
        self.offloads = offloads
        self.cipher = cipher
        self.notices = notices
    }
}

/// The configuration in force in bondd, which bondd-control follows.
public struct ConfigurationStatus: Hashable, Sendable, Codable {
    /// The digest of the text in force (see `ConfigurationFile`).
    public var digest: String
    /// The tunnel's addresses in force, each with its prefix.
    public var addresses: [String]
    /// The digest of the text that bondd last refused; nil if it has accepted one since.
    public var refusedDigest: String?
    /// Why it refused that text.
    public var refusal: String?

    private enum CodingKeys: String, CodingKey {
        case digest, addresses, refusal
        case refusedDigest = "refused_digest"
    }

    /// A configuration in force.
    public init(
        digest: String, addresses: [String], refusedDigest: String? = nil, refusal: String? = nil
    ) {
        self.digest = digest
        self.addresses = addresses
        self.refusedDigest = refusedDigest
        self.refusal = refusal
    }
}

/// The queue before the paths in a `SessionStatus`, since the session began.
public struct QueueStatus: Hashable, Sendable, Codable {
    /// Packets dropped because their flow's queue persisted (CoDel, RFC 8289).
    public var dropped: UInt64
    /// Packets marked instead, because their flow supports ECN (RFC 3168).
    public var marked: UInt64

    /// Counters of drops and marks.
    public init(dropped: UInt64 = 0, marked: UInt64 = 0) {
        self.dropped = dropped
        self.marked = marked
    }
}

/// The cipher in `Status`.
public struct CipherStatus: Hashable, Sendable, Codable {
    /// `chacha20-poly1305` or `aes-256-gcm`.
    public var suite: String
    /// `libsodium` or `libcrypto`: the faster one of those that passed their self-test.
    public var library: String

    /// A suite and its library.
    public init(suite: String, library: String) {
        self.suite = suite
        self.library = library
    }
}

/// The kernel's offloads in `Status`. The state of each is `on`; `off` by configuration;
/// `missing` if this kernel lacks it; or `refused` if the kernel failed to enable it.
public struct OffloadStatus: Hashable, Sendable, Codable {
    /// Those of the TUN device, by name: `csum`, `tso4`, `tso6`, `uso`.
    public var tun: [String: String]
    /// Those of the UDP sockets.
    public var udp: [Socket]

    /// The offloads of one UDP socket.
    public struct Socket: Hashable, Sendable, Codable {
        /// The path's name; on a server the address it listens on.
        public var name: String
        /// Whether datagrams of one size are sent together (UDP_SEGMENT).
        public var segmentation: String
        /// Whether they are received together (UDP_GRO).
        public var joining: String

        private enum CodingKeys: String, CodingKey {
            case name
            case segmentation = "gso"
            case joining = "gro"
        }

        /// A socket's offloads.
        public init(name: String, segmentation: String, joining: String) {
            self.name = name
            self.segmentation = segmentation
            self.joining = joining
        }
    }

    /// The offloads of the device and the sockets.
    public init(tun: [String: String] = [:], udp: [Socket] = []) {
        self.tun = tun
        self.udp = udp
    }
}

/// A client's name servers.
public struct NamesStatus: Hashable, Sendable, Codable {
    /// Their source: `file`, `offer` (the server), `host` or `fallback` (public ones).
    public var source: String
    /// The servers that are queried.
    public var servers: [String]
    /// The interfaces over which servers are queried outside the tunnel, by server.
    public var outside: [String: String]
    /// Whether it is known which of them answer.
    public var settled: Bool

    /// Name servers and their source.
    public init(source: String, servers: [String], outside: [String: String] = [:], settled: Bool) {
        (self.source, self.servers, self.outside, self.settled) = (source, servers, outside, settled)
    }
}

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
