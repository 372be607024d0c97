/// The part of `Status` that says what the kernel does for bondd. A word is `on`; `off`, as the configuration wants it;
/// `missing`, as this kernel does not have it; or `refused`, as it did not do it when it was asked to.
public struct OffloadStatus: Hashable, Sendable, Codable {
    /// The TUN device's, by name: `csum`, `tso4`, `tso6`, `uso`.
    public var tun: [String: String]
    /// The UDP sockets'.
    public var udp: [Socket]

    /// One UDP socket's.
    public struct Socket: Hashable, Sendable, Codable {
        /// The path's name; on a server the address that it listens on.
        public var name: String
        /// Whether datagrams of one size leave together (UDP_SEGMENT).
        public var segmentation: String
        /// Whether they are read together (UDP_GRO).
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

    /// Nothing of it.
    public init(tun: [String: String] = [:], udp: [Socket] = []) {
        self.tun = tun
        self.udp = udp
    }
}
