import Packet
import Proto

/// A validated configuration file: every value is in range and every key file has been read.
public struct Configuration: Equatable, Sendable {
    /// The file's path as the user gave it.
    public let file: String
    /// `[tunnel]`: the settings common to both roles.
    public let tunnel: Tunnel
    /// The settings of the client or the server.
    public let role: Role
    /// `[health]`, served by bondd-control; nil means off.
    public let health: Health?
    /// Settings that have no effect or may surprise, one sentence each, for the log and the status.
    public let notices: [String]

    /// The host's role, with its settings.
    public enum Role: Equatable, Sendable {
        /// Connects to a server over its paths.
        case client(Client)
        /// Waits for clients.
        case server(Server)
    }

    /// `[tunnel]`
    public struct Tunnel: Equatable, Sendable {
        /// The TUN interface's name.
        public let interface: String
        /// Its addresses; a client without any takes those the server assigns.
        public let addresses: [CIDR]
        /// The tunnel's MTU in bytes; nil means derived from the paths.
        public let mtu: Int?
        /// How packets are distributed over the paths.
        public let mode: Mode
        /// In `redundant` mode, the number of best paths that carry each packet; 0 means all.
        public let redundantPaths: Int
        /// The cipher for data packets.
        public let cipher: CipherSuite
        /// The host's private key (X25519).
        public let privateKey: KeyFile
        /// Whether to use the kernel's offloads for the TUN device and the sockets; turned off only for
        /// troubleshooting.
        public let offload: Bool
        /// Maximum memory for packets, in MiB.
        public let bufferMegabytes: Int
        /// A server's number of data threads, 1 to 8; nil means the default.
        public let threads: Int?
    }

    /// `[health]`
    public struct Health: Equatable, Sendable {
        /// The endpoint where bondd-control serves HTTP.
        public let listen: Endpoint
        /// The file with the token that requests must carry; nil means none is required.
        public let tokenFile: String?
    }
}
