import Packet

/// The host of a request (RFC 9110 section 7.2) to a server on a loopback address.
enum HostName {
    /// Whether it is an address, or a name without a dot. A web page whose name resolves to 127.0.0.1 (DNS
    /// rebinding) makes the visitor's browser send a name with a dot.
    static func isLocal(_ authority: String?) -> Bool {
        guard let authority, !authority.isEmpty else { return true }
        var host = authority[...]
        if host.first == "[" {
            host = host.dropFirst().prefix { $0 != "]" }
        } else if let colon = host.lastIndex(of: ":") {
            host = host[..<colon]
        }
        return IPAddress(String(host)) != nil || !host.contains(".") || host.hasSuffix(".localhost")
    }
}
