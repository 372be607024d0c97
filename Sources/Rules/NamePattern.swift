/// The server names that a rule accepts.
package enum NamePattern: Hashable, Sendable {
    /// Only this name, in lower case.
    case exact(String)
    /// Any single label before this name, which is in lower case and contains a dot.
    case wildcard(String)

    /// Parses `host.example` or `*.host.example`, at most 253 bytes; nil otherwise. `*.com` is refused: it
    /// belongs to no single owner.
    package init?(_ text: String) {
        guard text.utf8.count <= HostName.maximumSize + 1 else { return nil }
        if text.hasPrefix("*.") {
            guard let name = HostName.canonical(text.dropFirst(2)), name.utf8.contains(UInt8(ascii: ".")),
                name.utf8.count + 2 <= HostName.maximumSize
            else { return nil }
            self = .wildcard(name)
        } else {
            guard let name = HostName.canonical(text[...]) else { return nil }
            self = .exact(name)
        }
    }
}

/// The syntax of DNS names.
enum HostName {
    /// Maximum length of a name without a trailing dot (RFC 1035 2.3.4, as text).
    static let maximumSize = 253

    /// The name in lower case and without a trailing dot; nil unless it has 1 to 253 bytes in labels of 1 to 63
    /// letters, digits, inner hyphens, and underscores. At least one label is not a number, as otherwise it
    /// would be a mistyped address.
    static func canonical(_ text: Substring) -> String? {
        var bytes = text.utf8[...]
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        guard (1...maximumSize).contains(bytes.count) else { return nil }
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.allSatisfy(isLabel), !labels.allSatisfy({ $0.allSatisfy(isDigit) }) else { return nil }
        return String(decoding: bytes.map(lowercased), as: UTF8.self)
    }

    /// The letter in lower case; other bytes are unchanged.
    @inline(__always) static func lowercased(_ byte: UInt8) -> UInt8 {
        UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte
    }

    private static func isLabel(_ label: Substring.UTF8View) -> Bool {
        (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
            && label.allSatisfy { byte in
                isDigit(byte) || UInt8(ascii: "a")...UInt8(ascii: "z") ~= lowercased(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
}
