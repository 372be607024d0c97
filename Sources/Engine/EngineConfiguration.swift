import Packet
import Proto
import Scheduler

/// What one Engine is to be: which side, under which key, for which peers.
public struct EngineConfiguration: Sendable {
    /// Which side of a session the Engine plays.
    public enum Role: Sendable {
        /// Opens sessions, chooses the paths, asks for its addresses.
        case client
        /// Answers, assigns addresses, learns paths from what arrives on them.
        case server
    }

    /// A peer that may have a session.
    public struct Peer: Sendable {
        /// The name that status and logs show.
        public var name: String
        /// Its static public key.
        public var publicKey: PublicKey
        /// The key that both share beside; `.none` without one.
        public var presharedKey: PresharedKey
        /// Server: the inner addresses that it may use as source, and that lead to it.
        public var addresses: [IPAddress]
        /// Server: the networks behind it, whose hosts it may speak for, and that lead to it.
        public var networks: [Prefix] = []
        /// Server: what it is told about the tunnel.
        public var assignment: AssignFrame?
        /// How packets to it are spread as long as it does not ask for another mode.
        public var mode: Mode
        /// In `redundant`, over how many paths a packet to it goes, the best; 0: all.
        public var redundantPaths: Int
        /// Server: the number of the shard that has its sessions. It must stay as long as the peer does.
        public var shard: Int
        /// Server: what it may do.
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

    /// Which side.
    public var role: Role
    /// Client: the server, alone. Server: its clients.
    public var peers: [Peer]
    /// Client: how packets are spread over the paths, in both directions.
    public var mode: Mode
    /// Client: in `redundant`, over how many paths a packet goes, the best, in both directions; 0: all.
    public var redundantPaths: Int
    /// What seals data and control datagrams, the same on both ends.
    public var suite: CipherSuite
    /// How many packets may be in memory at once, 2 KiB each: queued, unacknowledged or waiting for their order.
    public var poolCapacity: Int
    /// Server: which part of the peers' sessions is this Engine's.
    public var shard: Shard
    /// Server: the MTU that its interfaces are taken to have, in bytes, until one of them refuses a datagram.
    public var outerMTU = 1500
    /// Server: the secrets that its clients' preshared keys follow from.
    public var roots = RootSecrets.none
    /// Client: the preshared keys that the server has given it.
    public var secrets = ClientSecrets.none
    /// Client: the program's version, which the server's operator is shown; empty: it is not told.
    public var version = ""
    /// Client: it shakes hands with an invitation's keys, and this is the key that is to be a client's.
    public var enrolment: Enrolment?

    /// What a client to be says of itself.
    public struct Enrolment: Sendable {
        /// Its public key.
        public let publicKey: PublicKey
        /// What its host is called.
        public let host: String
        /// That it owns the key; nil: it is given no preshared key.
        public let proof: EnrolProof?

        /// A client to be.
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
