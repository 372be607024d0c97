import Packet

/// The name servers that the host itself uses, without those of a tunnel.
public struct HostResolver: Equatable, Sendable {
    /// Those that programs ask, loopback addresses of local forwarders among them, in the file's order.
    public var servers: [IPAddress] = []
    /// Those that a local forwarder asks, as far as it tells.
    public var upstream: [IPAddress] = []

    /// None.
    public init() {}

    /// All that are other hosts, each once.
    public var others: [IPAddress] {
        var seen: Set<IPAddress> = []
        return (servers + upstream).filter { !$0.isLoopback && !$0.isLinkLocal && seen.insert($0).inserted }
    }

    /// The addresses in a resolv.conf(5). Those with a zone are left out: they have their interface, whatever routes say.
    static func addresses(in text: String) -> [IPAddress] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count >= 2, words[0] == "nameserver" else { return nil }
            return IPAddress(String(words[1]))
        }
    }
}
