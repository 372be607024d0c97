/// Traffic of one path of one client since bondd started. The counters never decrease.
public struct PathUsage: Hashable, Sendable, Codable {
    /// The client's public key, 32 bytes in base64; names may change.
    public var publicKey: String
    /// The path's name.
    public var path: String
    /// Bytes of datagrams sent to the client.
    public var sentBytes: UInt64
    /// Bytes of datagrams received from it.
    public var receivedBytes: UInt64

    private enum CodingKeys: String, CodingKey {
        case publicKey = "public_key"
        case path
        case sentBytes = "tx_bytes"
        case receivedBytes = "rx_bytes"
    }

    /// A path's usage.
    public init(publicKey: String, path: String, sentBytes: UInt64, receivedBytes: UInt64) {
        self.publicKey = publicKey
        self.path = path
        self.sentBytes = sentBytes
        self.receivedBytes = receivedBytes
    }
}
