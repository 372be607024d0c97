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
