import Proto

/// The link that `bondd invite` prints and `bondd join` takes: `bondd://` and base64 (RFC 4648 section 5,
/// unpadded) of
///
///     version 1 ‖ expiry in seconds since 1970, 5 ‖ server's public key 32 ‖ secret 20
///     ‖ count 1 ‖ endpoints, each length 1 ‖ `HOST:PORT` ‖ checksum 4
///
/// The checksum covers all preceding bytes. It distinguishes a truncated or mistyped link from one for
/// another server.
package struct JoinLink: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
    /// Why a text is not a join link: one sentence that says what to do.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        /// The sentence shown to the user.
        package let description: String
    }

    /// The prefix of every link.
    package static let scheme = "bondd://"
    /// Maximum number of endpoints in a link.
    package static let mostEndpoints = 8

    /// Maximum length of an endpoint as written, in bytes.
    package static let longestEndpoint = 255

    private static let version: UInt8 = 1
    private static let fixedSize = 1 + 5 + 32 + InvitationKeys.secretSize + 1
    private static let checksumSize = 4

    /// When the link expires, in seconds since 1970.
    package let expiry: UInt64
    /// The server's public key.
    package let server: PublicKey
    /// The secret that the invitation's keys are derived from, see `InvitationKeys`.
    package let secret: [UInt8]
    /// The server's endpoints, in the order to try them.
    package let endpoints: [HostPort]

    /// Creates a link.
    /// - Precondition: `secret` holds `InvitationKeys.secretSize` bytes, and there are 1 to `mostEndpoints` endpoints.
    package init(expiry: UInt64, server: PublicKey, secret: [UInt8], endpoints: [HostPort]) {
        precondition(secret.count == InvitationKeys.secretSize)
        precondition((1...Self.mostEndpoints).contains(endpoints.count))
        precondition(endpoints.allSatisfy { $0.description.utf8.count <= Self.longestEndpoint })
        self.expiry = expiry
        self.server = server
        self.secret = secret
        self.endpoints = endpoints
    }

    /// Parses a link, ignoring whitespace around it, which copying often adds.
    /// - Throws: `Failure` with a sentence for the user that never contains any part of the secret.
    package init(_ text: String) throws(Failure) {
        let text = text.filter { !$0.isWhitespace }
        guard text.hasPrefix(Self.scheme) else {
            throw Failure(
                description: "this is not a join link; a link from bondd invite begins with \(Self.scheme)")
        }
        let body = text.dropFirst(Self.scheme.count)
        guard let bytes = Self.decode(body), bytes.count > Self.fixedSize + Self.checksumSize,
            Self.checksum(bytes.dropLast(Self.checksumSize)) == Array(bytes.suffix(Self.checksumSize))
        else {
            throw Failure(
                description:
                    "the join link is damaged; copy it whole, from \(Self.scheme) to its last character")
        }
        guard bytes[0] == Self.version else {
            throw Failure(description: "the join link is of a newer bondd; update this one")
        }
        guard let endpoints = Self.endpoints(bytes[(Self.fixedSize - 1)...].dropLast(Self.checksumSize))
        else {
            throw Failure(
                description:
                    "the join link names no server that can be reached; make another with bondd invite")
        }
        expiry = bytes[1..<6].reduce(0) { $0 << 8 | UInt64($1) }
        server = PublicKey(bytes: Array(bytes[6..<38]))
        secret = Array(bytes[38..<38 + InvitationKeys.secretSize])
        self.endpoints = endpoints
    }

    /// The link's text, which is secret.
    package var text: String {
        var bytes: [UInt8] = [Self.version]
        for shift in stride(from: 32, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: expiry >> UInt64(shift)))
        }
        bytes += server.bytes + secret + [UInt8(endpoints.count)]
        for endpoint in endpoints {
            let text = Array(endpoint.description.utf8)
            bytes += [UInt8(text.count)] + text
        }
        bytes += Self.checksum(bytes[...])
        let base64 = Base64.encode(bytes).compactMap { character -> Character? in
            switch character {
            case "+": "-"
            case "/": "_"
            case "=": nil
            default: character
            }
        }
        return Self.scheme + String(base64)
    }

    /// A fixed text, so that the secret never reaches a log.
    package var description: String { "a join link" }
    /// Empty, so that a dump never shows the secret.
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }

    private static func decode(_ text: Substring) -> [UInt8]? {
        guard text.utf8.count <= 4096, !text.contains(where: { $0 == "+" || $0 == "/" || $0 == "=" }) else {
            return nil
        }
        let standard = String(text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
        return Base64.decode(standard + String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4))
    }

    private static func endpoints(_ bytes: ArraySlice<UInt8>) -> [HostPort]? {
        guard let count = bytes.first, (1...mostEndpoints).contains(Int(count)) else { return nil }
        var rest = bytes.dropFirst()
        var endpoints: [HostPort] = []
        for _ in 0..<count {
            guard let length = rest.first.map(Int.init), rest.count > length,
                let text = String(validating: rest.dropFirst().prefix(length), as: UTF8.self),
                let endpoint = HostPort(text)
            else { return nil }
            endpoints.append(endpoint)
            rest = rest.dropFirst(1 + length)
        }
        return endpoints
    }

    /// CRC-32 (IEEE 802.3), which detects any error burst of up to 32 bits.
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var crc = UInt32.max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        crc = ~crc
        return stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: crc >> UInt32($0)) }
    }
}
