import Packet
import Settings

extension FirewallTable {
    /// How the names of all kill switches' tables begin.
    private static let killSwitchBase = "bondd_killswitch"
    /// The name under which packets are counted that would have left outside the tunnel.
    public static let refused = "bondd: outside the tunnel"

    /// The table of a client's `kill_switch`.
    public static func killSwitchName(interface: String) -> String {
        name(killSwitchBase, interface: interface)
    }

    /// The interface whose kill switch has a table of this name; nil for another table.
    static func killSwitchInterface(_ name: String) -> String? { interface(of: name, base: killSwitchBase) }

    /// The table of a kill switch.
    ///
    /// The chain `output` refuses with an answer, so that programs hear of it. There `oifname` is where the packet's first
    /// route led: the kernel calls all chains of the hook with the device that it began with, also after one of them has
    /// changed the packet's mark or destination and with it its way (`nf_hook_state` in `__ip_local_out`). So the chain
    /// leaves marked and translated packets to `postrouting`, where `oifname` is the device that the packet does leave by, and
    /// which drops what is not allowed.
    public static func killSwitch(_ killSwitch: KillSwitch) -> FirewallTable {
        let tunnels = [killSwitch.interface].compactMap(\.self) + killSwitch.others.map(\.interface)
        let allowed =
            (["lo"] + tunnels).map { FirewallRule().into($0).then(.accept) } + carriers(killSwitch)
            + addressing + local(killSwitch.networks)
            + (killSwitch.allowsNames
                ? [
                    FirewallRule().udp(destination: 53).then(.accept),
                    FirewallRule().tcp(destination: 53).then(.accept),
                ] : [])
        // So that programs hear of it at once, also those with connections from before. (A connection that is being opened
        // takes an ICMP error for final only at its second try, a second later.)
        let refusal = [
            FirewallRule().tcp.counted(refused).then(.reset), FirewallRule().counted(refused).then(.reject),
        ]
        let rerouted = [FirewallRule().marked.then(.accept), FirewallRule().translated.then(.accept)]
        // Hosts behind this one: into the tunnel and out of it, and nowhere else.
        let forwarded = tunnels.flatMap {
            [FirewallRule().into($0).then(.accept), FirewallRule().from($0).then(.accept)]
        }
        // The packets that `forwarded` lets out of the tunnel; the kernel tells their origin since 5.7.
        let fromTunnel = tunnels.map { FirewallRule().from($0).then(.accept) }
        // Behind the chains of others, which may change where a packet goes; in postrouting behind source translation (100).
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

    /// The packets that carry tunnels, and those by which bondd finds its server: all have bondd's mark, which takes
    /// CAP_NET_ADMIN or CAP_NET_RAW to set.
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
        // Probes, which tell why a path is silent: a TCP connection or an echo request to the server.
        for host in hosts {
            let probe = marked.destination(CIDR(host: host))
            rules += [probe.tcp.then(.accept), probe.echoRequest(host.family).then(.accept)]
        }
        return rules + [
            marked.udp(destination: 53).then(.accept), marked.tcp(destination: 53).then(.accept),
        ]
    }

    /// What an interface needs to have an address.
    private static let addressing = [
        // DHCP: a client's ports and a server's, of IPv4 and of IPv6.
        FirewallRule().of(.v4).udp(source: 68, destination: 67).then(.accept),
        FirewallRule().of(.v4).udp(source: 67, destination: 68).then(.accept),
        FirewallRule().of(.v6).udp(source: 546, destination: 547).then(.accept),
        FirewallRule().of(.v6).udp(source: 547, destination: 546).then(.accept),
        // Multicast listeners 130 to 132, routers and neighbours 133 to 136, MLDv2 143.
        FirewallRule().icmp6(types: 130...136).then(.accept),
        FirewallRule().icmp6(types: 143...143).then(.accept),
    ]

    /// IPv4 and IPv6 groups that stay on the link, such as those of mDNS (RFC 5771, RFC 4291), SSDP's group, and the limited
    /// broadcast.
    private static let groups = ["224.0.0.0/24", "239.255.255.250/32", "255.255.255.255/32", "ff02::/16"]
        .compactMap { CIDR($0) }

    /// What is on the links of the host's own networks.
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
