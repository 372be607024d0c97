import Host
import Packet
import Settings

/// Whether a configuration fits the host: interfaces that it names but the host lacks, networks that exist
/// twice. Pure.
struct HostFit {
    let configuration: Configuration
    let facts: HostFacts

    /// Everything that does not fit; none of it is an error in the file.
    var findings: [Finding] { interfaces + conflicts + publicNetworks }

    /// Interfaces named in the file.
    private var interfaces: [Finding] {
        let tunnel = configuration.tunnel.interface
        var findings: [Finding] = []
        if let taken = facts.interface(named: tunnel), taken.kind != "tun" {
            let kind = taken.kind.map { " (\($0))" } ?? ""
            findings.append(
                .fail(
                    "interface", "\(tunnel) is another interface of this host\(kind)",
                    "set [tunnel] interface = \"\(tunnel == "bond0" ? "bondd0" : "bond0")\", or another name that is free"
                ))
        }
        switch configuration.role {
        case .server(let server):
            guard let nat = server.nat, nat.enabled, let egress = nat.egress else { break }
            for name in egress where facts.interface(named: name) == nil {
                findings.append(
                    .warn(
                        "nat", "[nat] egress names \(name), which this host does not have now",
                        "correct the name, or leave egress out: clients then leave by the default route"))
            }
        case .client(let client):
            for name in client.paths.map(\.interface) where facts.interface(named: name) == nil {
                findings.append(
                    .warn(
                        "uplinks", "[[path]] names \(name), which this host does not have now",
                        "correct the name, unless the interface comes later; there are \(names)"))
            }
        }
        return findings
    }

    private var names: String {
        let names = facts.interfaces.map(\.name).filter { $0 != "lo" && $0 != configuration.tunnel.interface }
        return names.isEmpty ? "none" : names.prefix(8).joined(separator: ", ")
    }

    /// Tunnel networks that also exist elsewhere on the host: only one of the two can be reached.
    private var conflicts: [Finding] {
        let own = configuration.tunnel.interface
        return configuration.tunnel.addresses.flatMap { wanted in
            facts.addresses.filter {
                $0.interface != own && $0.interface != "lo"
                    && ($0.network.contains(wanted.address) || wanted.contains($0.network.address))
            }.map { other in
                .warn(
                    "addresses",
                    "the tunnel's network \(wanted.network) overlaps \(other.network.network) of \(other.interface)",
                    "only one of the two can be reached; give [tunnel] address another network, such as 10.78.0.0/24"
                )
            }
        }
    }

    /// Tunnel networks that belong to hosts on the internet.
    private var publicNetworks: [Finding] {
        configuration.tunnel.addresses.filter { $0.address.isOnInternet }.map {
            .warn(
                "addresses",
                "the tunnel's network \($0.network) is public, and its hosts on the internet can't be reached",
                "unless it was assigned to you, use one of RFC 1918 or RFC 4193, such as 10.77.0.0/24")
        }
    }
}

extension IPAddress {
    /// Whether the address can belong to a host on the internet: neither private nor link-local, and not
    /// reserved for documentation or tests.
    var isOnInternet: Bool {
        if isPrivate || isLinkLocal || isLoopback { return false }
        let special = [
            "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15",
            "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "::/8", "2001:db8::/32", "fe80::/10",
            "ff00::/8",
        ]
        return !special.contains { CIDR($0)?.contains(self) ?? false }
    }
}
