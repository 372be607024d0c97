/// The first message of a TLS client (RFC 8446 4.1.2).
public enum Greeting {
    /// A ClientHello of one record that names a host (RFC 6066 3).
    public static func hello(_ host: String) -> [UInt8] {
        let name = sized(2, [0] + sized(2, Array(host.utf8)))
        let extensions = sized(2, [0, 0] + sized(2, name))
        // TLS 1.2, a random number, no session, one cipher suite, no compression.
        let body =
            [3, 3] + Array(repeating: 7, count: 32) + [0] + sized(2, [0x13, 0x01]) + [1, 0] + extensions
        return [22, 3, 1] + sized(2, [1] + sized(3, body))
    }

    private static func sized(_ width: Int, _ bytes: [UInt8]) -> [UInt8] {
        (0..<width).reversed().map { UInt8(truncatingIfNeeded: bytes.count >> ($0 * 8)) } + bytes
    }
}
