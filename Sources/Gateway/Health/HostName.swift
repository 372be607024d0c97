import Packet

/// The host that a request names (RFC 9110 section 7.2), where only programs on this host can ask.
enum HostName {
    /// Whether it is an address, or a name without a dot. A web page that has its own name lead to 127.0.0.1 (DNS rebinding) would have its
    /// visitor's browser send a name with one.
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
