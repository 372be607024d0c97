import Packet
import Proto

/// A configuration file, read and found good: every value is in range, every key file read.
public struct Configuration: Equatable, Sendable {
    /// The file as it was named.
    public let file: String
    /// `[tunnel]`: what both roles have.
    public let tunnel: Tunnel
    /// What only a client or only a server has.
    public let role: Role
    /// `[health]`, which bondd-control serves; nil: off.
    public let health: Health?
    /// What the file asks for and this version does not carry out, a sentence each, for the log and the status.
    public let notices: [String]

    /// What the host is, and what only that role has.
    public enum Role: Equatable, Sendable {
        /// It connects to a server over its paths.
        case client(Client)
        /// It waits for clients.
        case server(Server)
    }

    /// `[tunnel]`
    public struct Tunnel: Equatable, Sendable {
        /// The TUN interface's name.
        public let interface: String
        /// Its addresses; a client without any takes what the server assigns.
        public let addresses: [CIDR]
        /// The tunnel's MTU in bytes; nil: found from the paths.
        public let mtu: Int?
        /// How packets are spread over the paths.
        public let mode: Mode
        /// In `redundant`, over how many paths each packet goes, the best; 0: all.
        public let redundantPaths: Int
        /// How they are sealed.
        public let cipher: CipherSuite
        /// The host's private key (X25519).
        public let privateKey: KeyFile
        /// Whether to use the kernel's offloads for the TUN device and the sockets; off only to look for a fault.
        public let offload: Bool
        /// The most memory for packets, in units of 2²⁰ bytes.
        public let bufferMegabytes: Int
        /// A server's data threads, 1 to 8; nil: the default.
        public let threads: Int?
    }

    /// `[health]`
    public struct Health: Equatable, Sendable {
        /// Where bondd-control serves HTTP.
        public let listen: Endpoint
        /// The file with the token that requests must bring; nil: they need none.
        public let tokenFile: String?
    }
}
