import Packet
import Settings

extension FirewallTable {
    /// The table of bond0's kill switch, and the prefix of all others.
    private static let killSwitchBase = "bondd_killswitch"
    /// The comment on rules that count refused packets.
    package static let refused = "bondd: outside the tunnel"

    /// The table of a client's `kill_switch`.
    package static func killSwitchName(interface: String) -> String {
        name(killSwitchBase, interface: interface)
    }

    /// The interface whose kill switch has a table with this name, or nil for any other table.
    static func killSwitchInterface(_ name: String) -> String? { interface(of: name, base: killSwitchBase) }

    /// The table of a kill switch.
    ///
    /// `output` refuses packets with an error, so that programs notice at once. In that hook, `oifname` is the device of the
    /// packet's first route: the kernel fills `nf_hook_state` once (`__ip_local_out`) and does not update it when a chain
    /// changes the mark or the destination and the packet is routed again. `output` therefore leaves marked and translated
    /// packets to `postrouting`, where `oifname` is the device the packet leaves by, and which drops everything else.
    package static func killSwitch(_ killSwitch: KillSwitch) -> FirewallTable {
        let tunnels = [killSwitch.interface].compactMap(\.self) + killSwitch.others.map(\.interface)
        let allowed =
            (["lo"] + tunnels).map { FirewallRule().into($0).then(.accept) } + carriers(killSwitch)
            + addressing + local(killSwitch.networks)
            + (killSwitch.allowsNames
                ? [
                    FirewallRule().udp(destination: 53).then(.accept),
                    FirewallRule().tcp(destination: 53).then(.accept),
                ] : [])
        // A reset ends TCP connections at once, established ones included. (A connecting socket treats an ICMP error as final
        // only on its first retransmission, a second later.)
        let refusal = [
            FirewallRule().tcp.counted(refused).then(.reset), FirewallRule().counted(refused).then(.reject),
        ]
        let rerouted = [FirewallRule().marked.then(.accept), FirewallRule().translated.then(.accept)]
        // Forwarded packets: into the tunnel and out of it.
        let forwarded = tunnels.flatMap {
            [FirewallRule().into($0).then(.accept), FirewallRule().from($0).then(.accept)]
        }
        // Forwarded packets from the tunnel, again. Postrouting knows the input interface since Linux 5.7.
        let fromTunnel = tunnels.map { FirewallRule().from($0).then(.accept) }
        // Priority 200 runs after other programs' filters (0) and, in postrouting, after source NAT (100).
        return FirewallTable(
            name: killSwitchName(interface: killSwitch.name),
            chains: [
                FirewallChain(
                    name: "output", kind: .filter, hook: .output, priority: 200,
                    rules: allowed + rerouted + refusal),
                FirewallChain(
                    name: "forward", kind: .filter, hook: .forward, priority: 200,
                    rules: forwarded + local(killSwitch.networks) + refusal),
                FirewallChain(
                    name: "postrouting", kind: .filter, hook: .postrouting, priority: 200,
                    rules: allowed + fromTunnel + [FirewallRule().counted(refused).then(.drop)]),
            ])
    }

    /// Packets that carry a tunnel, and those with which bondd finds its server. All have bondd's mark; setting a mark takes
    /// CAP_NET_ADMIN or CAP_NET_RAW.
    private static func carriers(_ killSwitch: KillSwitch) -> [FirewallRule] {
        let marked = FirewallRule().marked(TunnelMark.value)
        var rules = killSwitch.endpoints.map {
            marked.destination(CIDR(host: $0.address)).udp(destination: $0.port)
                .commented(KillSwitch.comment(of: $0)).then(.accept)
        }
        for tunnel in killSwitch.others {
            rules += tunnel.endpoints.map {
                marked.destination(CIDR(host: $0.address)).udp(destination: $0.port)
                    .commented("bondd: server of \(tunnel.interface)").then(.accept)
            }
        }
        var hosts: [IPAddress] = []
        for endpoint in killSwitch.endpoints where !hosts.contains(endpoint.address) {
            hosts.append(endpoint.address)
        }
        // Probes that find out why a path is silent: a TCP connection or an echo request to the server.
        for host in hosts {
            let probe = marked.destination(CIDR(host: host))
            rules += [probe.tcp.then(.accept), probe.echoRequest(host.family).then(.accept)]
        }
        return rules + [
            marked.udp(destination: 53).then(.accept), marked.tcp(destination: 53).then(.accept),
        ]
    }

    /// Packets that keep an interface configured: DHCP, and IPv6's neighbor discovery and multicast listener reports.
    private static let addressing = [
        // DHCP and DHCPv6, client and server ports.
        FirewallRule().of(.v4).udp(source: 68, destination: 67).then(.accept),
        FirewallRule().of(.v4).udp(source: 67, destination: 68).then(.accept),
        FirewallRule().of(.v6).udp(source: 546, destination: 547).then(.accept),
        FirewallRule().of(.v6).udp(source: 547, destination: 546).then(.accept),
        // MLD 130 to 132, router and neighbor discovery 133 to 136, MLDv2 143.
        FirewallRule().icmp6(types: 130...136).then(.accept),
        FirewallRule().icmp6(types: 143...143).then(.accept),
    ]

    /// Link-local multicast (RFC 5771, RFC 4291), which includes mDNS; SSDP's group; and the limited broadcast address.
    private static let groups = ["224.0.0.0/24", "239.255.255.250/32", "255.255.255.255/32", "ff02::/16"]
        .compactMap { CIDR($0) }

    /// Packets that stay on the link of a local network.
    private static func local(_ networks: [LocalNetwork]) -> [FirewallRule] {
        var rules: [FirewallRule] = []
        var links: [(interface: String, family: IPAddress.Family)] = []
        for network in networks {
            let link = (network.interface, network.network.address.family)
            if !links.contains(where: { $0 == link }) { links.append(link) }
            let onLink = FirewallRule().into(network.interface).destination(network.network)
            rules.append(network.beyond.reduce(onLink) { $0.destination(not: $1) }.then(.accept))
        }
        for link in links {
            rules += groups.filter { $0.address.family == link.family }.map {
                FirewallRule().into(link.interface).destination($0).then(.accept)
            }
        }
        return rules
    }
}
