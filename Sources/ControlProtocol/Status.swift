/// What `bondd status --json` prints and `/status` serves. Keys are only ever added.
public struct Status: Hashable, Sendable, Codable {
    /// bondd's version.
    public var version: String
    /// The host's public key in base64; nil from a version that does not say.
    public var publicKey: String?
    /// Numbers this run of the daemon: counters began at 0 with it. Nil from a version that does not say.
    public var run: String?
    /// `client` or `server`.
    public var role: String
    /// `auto`, `stripe`, `preferred` or `redundant`.
    public var mode: String
    /// In `redundant`, over how many paths each packet goes; 0: all. Nil from a version that does not say.
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
    /// A client has one at the most, a server one a client.
    public var sessions: [SessionStatus]
    /// Packets dropped outside any session since the start, by reason.
    public var drops: [String: UInt64]
    /// What the kernel does for bondd; nil from a version that does not say.
    public var offloads: OffloadStatus?
    /// What seals the packets; nil from a version that does not say.
    public var cipher: CipherStatus?
    /// Server: the revision of what bondd-control has handed over; nil when there is nothing.
    public var handover: Int?
    /// Which configuration is in force; nil from a version that does not say.
    public var configuration: ConfigurationStatus?
    /// What bondd has in the host's firewall; nil when there is nothing.
    public var firewall: FirewallStatus?
    /// Client: its name servers, once the tunnel is set up; nil from a version that does not say.
    public var names: NamesStatus?
    /// What keeps it from carrying traffic, or some of it, a sentence each with what to do; `/readyz` fails while there are
    /// any. Nil from a version that does not say.
    public var problems: [String]?
    /// What the user should know: what the configuration asks for and this version does not carry out, and libraries that
    /// are not trusted, a sentence each.
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

    /// A status; counters begin at 0 and lists empty.
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
