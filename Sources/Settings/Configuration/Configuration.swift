import Packet
import Proto

/// A validated configuration file: every value is in range and every key file has been read.
package struct Configuration: Equatable, Sendable {
    /// The file's path as the user gave it.
    package let file: String
    /// `[tunnel]`: the settings common to both roles.
    package let tunnel: Tunnel
    /// The settings of the client or the server.
    package let role: Role
    /// `[[class]]`, in file order.
    package let classes: [Class]
    /// `[health]`, served by bondd-control; nil means off.
    package let health: Health?
    /// Settings that have no effect or may surprise, one sentence each, for the log and the status.
    package let notices: [String]

    /// The host's role, with its settings.
    package enum Role: Equatable, Sendable {
        /// Connects to a server over its paths.
        case client(Client)
        /// Waits for clients.
        case server(Server)
    }

    /// `[tunnel]`
    package struct Tunnel: Equatable, Sendable {
        /// The TUN interface's name.
        package let interface: String
        /// Its addresses; a client without any takes those the server assigns.
        package let addresses: [CIDR]
        /// The tunnel's MTU in bytes; nil means derived from the paths.
        package let mtu: Int?
        /// How packets are distributed over the paths.
        package let mode: Mode
        /// In `redundant` mode, the number of best paths that carry each packet; 0 means all.
        package let redundantPaths: Int
        /// The cipher for data packets.
        package let cipher: CipherSuite
        /// The host's private key (X25519).
        package let privateKey: KeyFile
        /// Whether to use the kernel's offloads for the TUN device and the sockets; turned off only for
        /// troubleshooting.
        package let offload: Bool
        /// Maximum memory for packets, in MiB.
        package let bufferMegabytes: Int
        /// A server's number of data threads, 1 to 8; nil means the default.
        package let threads: Int?
    }

    /// `[health]`
    package struct Health: Equatable, Sendable {
        /// The endpoint where bondd-control serves HTTP.
        package let listen: Endpoint
        /// The file with the token that requests must carry; nil means none is required.
        package let tokenFile: String?
    }
}
