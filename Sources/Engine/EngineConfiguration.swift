import Packet
import Proto
import Scheduler

/// Configuration of one Engine: its role, key and peers.
public struct EngineConfiguration: Sendable {
    /// Which side of a session the Engine plays.
    public enum Role: Sendable {
        /// Opens sessions, chooses the paths, asks for its addresses.
        case client
        /// Answers, assigns addresses, learns paths from the datagrams that arrive on them.
        case server
    }

    /// A peer that may have a session.
    public struct Peer: Sendable {
        /// The name shown in status and logs.
        public var name: String
        /// Its static public key.
        public var publicKey: PublicKey
        /// The key that both share in addition; `.none` without one.
        public var presharedKey: PresharedKey
        /// Server: the inner addresses that it may use as source and that are routed to it.
        public var addresses: [IPAddress]
        /// Server: the networks behind it, whose hosts may use it and which are routed to it.
        public var networks: [Prefix] = []
        /// Server: the settings of the tunnel that it is sent.
        public var assignment: AssignFrame?
        /// The mode for packets to it while it does not ask for another one.
        public var mode: Mode
        /// In `redundant`, how many of the best paths carry each packet to it; 0 means all.
        public var redundantPaths: Int
        /// Server: the number of the shard that has its sessions. It must not change while the peer exists.
        public var shard: Int
        /// Server: how much the peer may send and receive.
        public var limits = PeerLimits()
        /// Server: the peer's permissions.
        public var kind = Kind.client

        /// What a server lets a peer do.
        public enum Kind: Hashable, Sendable {
            /// Use the tunnel.
            case client
            /// Enrol a client's key with the invitation of that number, and nothing else.
            case invitation(id: Int)
        }

        var isInvitation: Bool { kind != .client }

        /// A peer.
        public init(
            name: String, publicKey: PublicKey, presharedKey: PresharedKey = .none,
            addresses: [IPAddress] = [],
            assignment: AssignFrame? = nil, mode: Mode = .auto, redundantPaths: Int = 0, shard: Int = 0
        ) {
            self.name = name
            self.publicKey = publicKey
            self.presharedKey = presharedKey
            self.addresses = addresses
            self.assignment = assignment
            self.mode = mode
            self.redundantPaths = redundantPaths
            self.shard = shard
        }
    }

    /// The Engine's role.
    public var role: Role
    /// Client: the server alone. Server: its clients.
    public var peers: [Peer]
    /// Client: the scheduling mode for both directions.
    public var mode: Mode
    /// Client: in `redundant`, how many of the best paths carry each packet, in both directions; 0 means all.
    public var redundantPaths: Int
    /// The classes of service of packets to the peers: a client's are in force in both directions, and a
    /// server's for clients that have none.
    public var classes: [ServiceClass] = []
    /// The cipher suite for data and control datagrams, the same on both ends.
    public var suite: CipherSuite
    /// Maximum number of packets in memory, 2 KiB each: queued, unacknowledged or waiting for their order.
    public var poolCapacity: Int
    /// Server: the part of the peers' sessions that this Engine has.
    public var shard: Shard
    /// Server: the assumed MTU of its interfaces, in bytes, until one of them refuses a datagram.
    public var outerMTU = 1500
    /// Server: the secrets from which its clients' preshared keys are derived.
    public var roots = RootSecrets.none
    /// Client: the preshared keys that the server has given it.
    public var secrets = ClientSecrets.none
    /// Client: the program's version, which is shown to the server's operator; empty to report none.
    public var version = ""
    /// Client: set if the handshake uses an invitation's keys: the key that is to become a client's.
    public var enrolment: Enrolment?

    /// A prospective client's description of itself.
    public struct Enrolment: Sendable {
        /// Its public key.
        public let publicKey: PublicKey
        /// Its host's name.
        public let host: String
        /// Proof that it owns the key; `nil` if it has none, and then it is given no preshared key.
        public let proof: EnrolProof?

        /// A prospective client.
        public init(publicKey: PublicKey, host: String, proof: EnrolProof? = nil) {
            self.publicKey = publicKey
            self.host = host
            self.proof = proof
        }
    }

    /// A configuration.
    /// - Precondition: `suite` is available.
    public init(
        role: Role, peers: [Peer], mode: Mode = .auto, redundantPaths: Int = 0,
        suite: CipherSuite = .chacha20poly1305, poolCapacity: Int = 16384, shard: Shard = .only
    ) {
        self.role = role
        self.peers = peers
        self.mode = mode
        self.redundantPaths = redundantPaths
        self.suite = suite
        self.poolCapacity = poolCapacity
        self.shard = shard
    }
}
