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
