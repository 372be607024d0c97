import Host
import Packet
import Runtime
import Settings

/// The hosts that a client with a kill switch can reach: through the tunnel, and on local networks if these
/// are allowed.
struct KillSwitchReach {
    /// The tunnel's interface.
    let tunnel: UInt32
    /// The networks routed into the tunnel.
    let inside: [CIDR]
    /// The IP versions whose default route is the tunnel.
    let families: [IPAddress.Family]
    /// The host's routes.
    let routes: [NetworkRoute]
    /// The local networks that stay reachable.
    let local: [LocalNetwork]

    /// Whether an address can be reached.
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

    /// A sentence when none of the name servers can be reached. Servers on the loopback interface forward to
    /// others and are not judged.
    func notice(of servers: [IPAddress]) -> String? {
        let asked = servers.filter { !$0.isLoopback }
        guard !asked.isEmpty, !asked.contains(where: reaches) else { return nil }
        let list = asked.map(\.description).joined(separator: ", ")
        return
            "names do not resolve: the kill switch blocks the name servers (\(list)), which are outside the tunnel; set [tunnel] dns = [\"ADDRESS\"] to one that is reached through the tunnel, or [offer] dns on the server"
    }
}

/// The name servers in use on the host.
enum HostResolvers {
    private static let maximumSize = 1 << 20

    /// The servers in /etc/resolv.conf; with systemd-resolved's stub there, its upstream servers as well.
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
