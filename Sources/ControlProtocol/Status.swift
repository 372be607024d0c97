/// The output of `bondd status --json` and `/status`. Keys are only ever added.
package struct Status: Hashable, Sendable, Codable {
    /// bondd's version.
    package var version: String
    /// The host's public key in base64; nil from versions that do not report it.
    package var publicKey: String?
    /// Identifies this run of the daemon, at whose start counters were 0. Nil from versions that do not report it.
    package var run: String?
    /// `client` or `server`.
    package var role: String
    /// `auto`, `stripe`, `preferred` or `redundant`.
    package var mode: String
    /// In `redundant` mode, how many paths carry each packet; 0 means all. Nil from versions that do not report
    /// it.
    package var redundantPaths: Int?
    /// The tunnel's interface.
    package var interface: String
    /// The tunnel's MTU in bytes.
    package var mtu: Int
    /// Seconds since the daemon started.
    package var uptime: Double
    /// Data threads.
    package var threads: Int
    /// Handshakes completed since the start.
    package var handshakes: UInt64
    /// At most one on a client, at most one for each client on a server.
    package var sessions: [SessionStatus]
    /// Packets dropped outside any session since the start, by reason.
    package var drops: [String: UInt64]
    /// The kernel's offloads; nil from versions that do not report them.
    package var offloads: OffloadStatus?
    /// The cipher; nil from versions that do not report it.
    package var cipher: CipherStatus?
    /// Server: the revision of bondd-control's last handover; nil if there was none.
    package var handover: Int?
    /// The configuration in force; nil from versions that do not report it.
    package var configuration: ConfigurationStatus?
    /// bondd's rules in the host's firewall; nil if there are none.
    package var firewall: FirewallStatus?
    /// Client: its name servers, once the tunnel is set up; nil from versions that do not report them.
    package var names: NamesStatus?
    /// Problems that keep bondd from carrying some or all traffic, one sentence each with what to do; `/readyz`
    /// fails while there are any. Nil from versions that do not report them.
    package var problems: [String]?
    /// Notices for the user, one sentence each: settings without effect in this version, and libraries that
    /// are not trusted.
    package var notices: [String]

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
    package init(
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
package struct ConfigurationStatus: Hashable, Sendable, Codable {
    /// The digest of the text in force (see `ConfigurationFile`).
    package var digest: String
    /// The tunnel's addresses in force, each with its prefix.
    package var addresses: [String]
    /// The digest of the text that bondd last refused; nil if it has accepted one since.
    package var refusedDigest: String?
    /// Why it refused that text.
    package var refusal: String?

    private enum CodingKeys: String, CodingKey {
        case digest, addresses, refusal
        case refusedDigest = "refused_digest"
    }

    /// A configuration in force.
    package init(
        digest: String, addresses: [String], refusedDigest: String? = nil, refusal: String? = nil
    ) {
        self.digest = digest
        self.addresses = addresses
        self.refusedDigest = refusedDigest
        self.refusal = refusal
    }
}

/// The queue before the paths in a `SessionStatus`, since the session began.
package struct QueueStatus: Hashable, Sendable, Codable {
    /// Packets dropped because their flow's queue persisted (CoDel, RFC 8289).
    package var dropped: UInt64
    /// Packets marked instead, because their flow supports ECN (RFC 3168).
    package var marked: UInt64

    /// Counters of drops and marks.
    package init(dropped: UInt64 = 0, marked: UInt64 = 0) {
        self.dropped = dropped
        self.marked = marked
    }
}

/// The cipher in `Status`.
package struct CipherStatus: Hashable, Sendable, Codable {
    /// `chacha20-poly1305` or `aes-256-gcm`.
    package var suite: String
    /// `libsodium` or `libcrypto`: the faster one of those that passed their self-test.
    package var library: String

    /// A suite and its library.
    package init(suite: String, library: String) {
        self.suite = suite
        self.library = library
    }
}

/// The kernel's offloads in `Status`. The state of each is `on`; `off` by configuration;
/// `missing` if this kernel lacks it; or `refused` if the kernel failed to enable it.
package struct OffloadStatus: Hashable, Sendable, Codable {
    /// Those of the TUN device, by name: `csum`, `tso4`, `tso6`, `uso`.
    package var tun: [String: String]
    /// Those of the UDP sockets.
    package var udp: [Socket]

    /// The offloads of one UDP socket.
    package struct Socket: Hashable, Sendable, Codable {
        /// The path's name; on a server the address it listens on.
        package var name: String
        /// Whether datagrams of one size are sent together (UDP_SEGMENT).
        package var segmentation: String
        /// Whether they are received together (UDP_GRO).
        package var joining: String

        private enum CodingKeys: String, CodingKey {
            case name
            case segmentation = "gso"
            case joining = "gro"
        }

        /// A socket's offloads.
        package init(name: String, segmentation: String, joining: String) {
            self.name = name
            self.segmentation = segmentation
            self.joining = joining
        }
    }

    /// The offloads of the device and the sockets.
    package init(tun: [String: String] = [:], udp: [Socket] = []) {
        self.tun = tun
        self.udp = udp
    }
}

/// A client's name servers.
package struct NamesStatus: Hashable, Sendable, Codable {
    /// Their source: `file`, `offer` (the server), `host` or `fallback` (public ones).
    package var source: String
    /// The servers that are queried.
    package var servers: [String]
    /// The interfaces over which servers are queried outside the tunnel, by server.
    package var outside: [String: String]
    /// Whether it is known which of them answer.
    package var settled: Bool

    /// Name servers and their source.
    package init(source: String, servers: [String], outside: [String: String] = [:], settled: Bool) {
        (self.source, self.servers, self.outside, self.settled) = (source, servers, outside, settled)
    }
}

/// bondd's rules in the host's firewall.
package struct FirewallStatus: Hashable, Sendable, Codable {
    /// A server's NAT for its clients; nil without `[nat]`.
    package var nat: NAT?
    /// Whether a client's kill switch is on.
    package var killSwitch: Bool
    /// Packets that would have left outside the tunnel since the kill switch was last renewed.
    package var refusedPackets: UInt64

    /// A server's NAT for its clients. Counters restart at 0 whenever the rules are renewed.
    package struct NAT: Hashable, Sendable, Codable {
        /// The egress interfaces.
        package var egress: [String]
        /// Packets from clients sent through them.
        package var sentPackets: UInt64
        /// Bytes of those.
        package var sentBytes: UInt64
        /// Packets received for clients.
        package var receivedPackets: UInt64
        /// Bytes of those.
        package var receivedBytes: UInt64

        private enum CodingKeys: String, CodingKey {
            case egress
            case sentPackets = "tx_packets"
            case sentBytes = "tx_bytes"
            case receivedPackets = "rx_packets"
            case receivedBytes = "rx_bytes"
        }

        /// NAT without traffic.
        package init(egress: [String]) {
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
    package init(nat: NAT? = nil, killSwitch: Bool = false, refusedPackets: UInt64 = 0) {
        self.nat = nat
        self.killSwitch = killSwitch
        self.refusedPackets = refusedPackets
    }
}
