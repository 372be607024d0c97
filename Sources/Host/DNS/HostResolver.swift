import Packet

/// The name servers the host itself uses, excluding those of a tunnel.
package struct HostResolver: Equatable, Sendable {
    /// The servers that programs query, including loopback addresses of local forwarders, in the file's order.
    package var servers: [IPAddress] = []
    /// The servers that a local forwarder queries, if it says which.
    package var upstream: [IPAddress] = []

    /// No servers.
    package init() {}

    /// All servers on other hosts, each once.
    package var others: [IPAddress] {
        var seen: Set<IPAddress> = []
        return (servers + upstream).filter { !$0.isLoopback && !$0.isLinkLocal && seen.insert($0).inserted }
    }

    /// The addresses in a resolv.conf(5). Those with a zone are left out: the zone fixes their interface,
    /// regardless of routes.
    static func addresses(in text: String) -> [IPAddress] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count >= 2, words[0] == "nameserver" else { return nil }
            return IPAddress(String(words[1]))
        }
    }
}
