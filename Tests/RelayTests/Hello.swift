/// The first message of a TLS client (RFC 8446 4.1.2), in one record.
enum Hello {
    /// - Parameter name: the server's name; nil if none is sent.
    static func bytes(_ name: String?) -> [UInt8] {
        var extensions: [UInt8] = [0, 23, 0, 0]
        if let name {
            let text = Array(name.utf8)
            extensions += [0, 0] + sized(sized([0] + sized(text)))
        }
        let random = (0..<32).map { UInt8($0) }
        let body = [3, 3] + random + [0] + sized([0x13, 0x01, 0xC0, 0x2F]) + [1, 0] + sized(extensions)
        let message = [1, 0] + sized(body)
        return [22, 3, 1] + sized(message)
    }

    private static func sized(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
    }
}
