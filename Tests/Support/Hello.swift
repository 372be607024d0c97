/// A ClientHello, built as in RFC 8446 4.1.2.
public struct Hello {
    /// The legacy version; TLS 1.2 by default, as every client writes it.
    public var version: UInt16 = 0x0303
    /// The legacy session ID, up to 32 bytes.
    public var sessionID: [UInt8]
    /// The cipher suites.
    public var suites: [UInt16]
    /// Nil for a hello of TLS 1.0 that ends before them.
    public var extensions: [(type: UInt16, body: [UInt8])]?

    /// A hello of a client that sends `extensions`.
    public init(
        sessionID: [UInt8] = Array(repeating: 7, count: 32), suites: [UInt16] = [0x1301, 0xC02F],
        extensions: [(type: UInt16, body: [UInt8])]? = []
    ) {
        (self.sessionID, self.suites, self.extensions) = (sessionID, suites, extensions)
    }

    /// One record of a client that asks for `name`; `nil`: for none.
    public static func bytes(_ name: String?) -> [UInt8] {
        // 23: extended_main_secret, an extension to skip (RFC 7627).
        let extensions = [(type: UInt16(23), body: [UInt8]())] + (name.map { [serverName($0.utf8)] } ?? [])
        return Hello(sessionID: [], extensions: extensions).records()
    }

    /// The extension that names a host (RFC 6066 3).
    public static func serverName(_ name: some Sequence<UInt8>) -> (type: UInt16, body: [UInt8]) {
        let name = Array(name)
        return (0, sized(2, [0] + sized(2, name)))
    }

    /// The message, with its header.
    public var message: [UInt8] {
        var body = bytes(version) + Array(repeating: 0xAB, count: 32) + Self.sized(1, sessionID)
        body += Self.sized(2, suites.flatMap(bytes)) + Self.sized(1, [0])
        if let extensions {
            body += Self.sized(2, extensions.flatMap { bytes($0.type) + Self.sized(2, $0.body) })
        }
        return [1] + Self.sized(3, body)
    }

    /// The message in records of at most that many bytes.
    public func records(of size: Int = 16384) -> [UInt8] { Self.records(message, of: size) }

    /// A handshake message in records of at most `size` bytes.
    public static func records(_ message: [UInt8], of size: Int) -> [UInt8] {
        stride(from: 0, to: message.count, by: size).flatMap {
            [22, 3, 1] + sized(2, Array(message[$0..<min($0 + size, message.count)]))
        }
    }

    /// The bytes after their count, which is that many bytes wide.
    public static func sized(_ width: Int, _ bytes: [UInt8]) -> [UInt8] {
        (0..<width).reversed().map { UInt8(truncatingIfNeeded: bytes.count >> ($0 * 8)) } + bytes
    }

    private func bytes(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)] }

    /// The output of `openssl s_client -servername Web.Example.org` of OpenSSL 3.0.
    public static let captured = octets(
        """
        160301013c010001380303fff7bccfc26fae5a1d00613b2e362d16c2b2053581f7eba7f2f70f1ade30285220cf12b9d5 \
        3b79f3838d68fccae5611cbdaed2a587ee6804dbbe6d0691cdb49562003e130213031301c02cc030009fcca9cca8ccaa \
        c02bc02f009ec024c028006bc023c0270067c00ac0140039c009c0130033009d009c003d003c0035002f00ff010000b1 \
        00000014001200000f5765622e4578616d706c652e6f7267000b000403000102000a00160014001d0017001e00190018 \
        01000101010201030104002300000016000000170000000d002a0028040305030603080708080809080a080b08040805 \
        0806040105010601030303010302040205020602002b0009080304030303020301002d00020101003300260024001d00 \
        20b3424903384a59ffbc86b04743c9a3d9a1dc04af9d3f2b4950c4b8ace0215f47
        """)

    /// The output of `openssl s_client -noservername -tls1_2`.
    public static let nameless = octets(
        """
        16030100b7010000b30303614c037ee37e6a14d39306da89643ff071f1192bb812e697b13bbb5759c8dd05000038c02c \
        c030009fcca9cca8ccaac02bc02f009ec024c028006bc023c0270067c00ac0140039c009c0130033009d009c003d003c \
        0035002f00ff01000052000b000403000102000a000c000a001d0017001e00190018002300000016000000170000000d \
        002a0028040305030603080708080809080a080b080408050806040105010601030303010302040205020602
        """)

    private static func octets(_ hex: String) -> [UInt8] {
        let digits = hex.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
