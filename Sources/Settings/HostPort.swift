import Packet

/// A server as written in the configuration: an IP address or DNS name, and a UDP port.
package struct HostPort: Hashable, Sendable, CustomStringConvertible {
    /// The address or name, without brackets.
    package let host: String
    /// The port, never 0.
    package let port: UInt16
    /// The endpoint if `host` is an address; nil if it is a name that has to be resolved.
    package let endpoint: Endpoint?

    /// Parses `203.0.113.7:5000`, `[2001:db8::7]:5000` or `vpn.example.org:5000`; nil if `text` has another form.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = UInt16(digits), port > 0 else {
            return nil
        }
        self.port = port
        if let endpoint = Endpoint(text) {
            self.endpoint = endpoint
            host = endpoint.address.description
            return
        }
        let name = String(text[..<colon])
        guard Self.isName(name) else { return nil }
        endpoint = nil
        host = name
    }

    /// RFC 1123 2.1: labels of letters, digits and inner hyphens. The last label must not be all digits, so that a
    /// mistyped dotted quad is not taken for a name.
    private static func isName(_ name: String) -> Bool {
        guard (1...253).contains(name.utf8.count) else { return false }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let good = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { byte in
                    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                        || byte == 45 || byte == 95
                }
        }
        return good && !labels.last!.utf8.allSatisfy { (48...57).contains($0) }
    }

    /// `vpn.example.org:5000`
    package var description: String { endpoint?.description ?? "\(host):\(port)" }
}
