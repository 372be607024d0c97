import Control
import Packet
import Settings

/// Which hosts a client with a kill switch reaches: those behind the tunnel, and those of its own networks where they may be.
struct KillSwitchReach {
    /// The tunnel's interface.
    let tunnel: UInt32
    /// What is led into the tunnel by routes of its own.
    let inside: [CIDR]
    /// The IP versions of which everything is led into the tunnel that no other route leads elsewhere.
    let families: [IPAddress.Family]
    /// The host's routes.
    let routes: [NetworkRoute]
    /// The host's own networks that stay reachable.
    let local: [LocalNetwork]

    /// Whether an address is reached.
    func reaches(_ address: IPAddress) -> Bool {
        let isLocal = local.contains { network in
            network.network.contains(address) && !network.beyond.contains { $0.contains(address) }
        }
        if isLocal || inside.contains(where: { $0.contains(address) }) { return true }
        guard families.contains(address.family) else { return false }
        return !routes.contains {
            $0.interface != tunnel && $0.network.length > 0 && $0.network.contains(address)
        }
    }

    /// One sentence when none of the name servers is reached; those on this host itself ask others, which is not judged.
    func notice(of servers: [IPAddress]) -> String? {
        let asked = servers.filter { !$0.isLoopback }
        guard !asked.isEmpty, !asked.contains(where: reaches) else { return nil }
        let list = asked.map(\.description).joined(separator: ", ")
        return
            "names do not resolve: the name servers (\(list)) are reached outside the tunnel, which the kill switch refuses; write [tunnel] dns = [\"ADDRESS\"] with one that the tunnel leads to, or have the server offer one ([offer] dns)"
    }
}

/// The name servers that the host asks.
enum HostResolvers {
    private static let maximumSize = 1 << 20

    /// Those of /etc/resolv.conf; where that names systemd-resolved's stub, those that it asks.
    static func read() -> [IPAddress] {
        let servers = servers(in: "/etc/resolv.conf")
        guard servers.allSatisfy(\.isLoopback) else { return servers }
        return servers + self.servers(in: "/run/systemd/resolve/resolv.conf")
    }

    private static func servers(in file: String) -> [IPAddress] {
        guard let text = try? TextFile.read(file, limit: maximumSize) else { return [] }
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count >= 2, words[0] == "nameserver" else { return nil }
            return IPAddress(String(words[1].prefix { $0 != "%" }))
        }
    }
}
