import Settings

/// The enrolment URI from a control plane's operator: `portunus://HOST:PORT/enroll?pin=sha256:HEX&code=CODE`.
package struct EnrolmentURI: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
    /// The control plane's endpoint.
    package let endpoint: HostPort
    /// SHA-256 of its leaf certificate's DER, 64 lower-case hexadecimal digits.
    package let pin: String
    /// The code, which can be redeemed once. Secret.
    package let code: String

    private static let scheme = "portunus://"
    /// The length of 32 bytes in base64 (RFC 4648 section 5) without padding.
    private static let codeLength = 43
    private static let longest = 2048

    /// Parses a URI, ignoring whitespace around it, which copying often adds. There is no percent-encoding, and
    /// unknown keys are ignored.
    /// - Throws: `notAURI`, which never contains the code.
    package init(_ text: String) throws(PortunusError) {
        guard text.utf8.count <= Self.longest else { throw .notAURI("it is too long") }
        let text = text.filter { !$0.isWhitespace }
        guard text.hasPrefix(Self.scheme) else {
            throw .notAURI("it does not begin with \(Self.scheme)")
        }
        let parts = text.dropFirst(Self.scheme.count).split(
            separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let slash = parts[0].firstIndex(of: "/"), parts[0][slash...] == "/enroll"
        else {
            throw .notAURI("it has no /enroll? after HOST:PORT")
        }
        guard let endpoint = HostPort(String(parts[0][..<slash])) else {
            throw .notAURI("the text before /enroll is not HOST:PORT")
        }
        let query = try Self.query(parts[1])
        guard let pin = query["pin"].flatMap(Pin.init(prefixed:)) else {
            throw .notAURI("its pin is not sha256: and 64 hexadecimal digits")
        }
        guard let code = query["code"], code.utf8.count == Self.codeLength,
            code.utf8.allSatisfy(Self.isCodeByte)
        else { throw .notAURI("its code is not \(Self.codeLength) characters of base64url") }
        self.endpoint = endpoint
        self.pin = pin.description
        self.code = code
    }

    /// The keys and values of a query.
    private static func query(_ text: Substring) throws(PortunusError) -> [String: String] {
        var query: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            let key = String(parts[0])
            // It would be unclear which of the two is meant, and a code can be used only once.
            if query.updateValue(String(parts[1]), forKey: key) != nil && (key == "pin" || key == "code") {
                throw .notAURI("it has more than one \(key)")
            }
        }
        return query
    }

    private static func isCodeByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// The endpoint, never the code.
    package var description: String { "an enrolment at \(endpoint)" }
    /// Leaves out the code, so that a dump never shows it.
    package var customMirror: Mirror { Mirror(self, children: ["endpoint": endpoint]) }
}
