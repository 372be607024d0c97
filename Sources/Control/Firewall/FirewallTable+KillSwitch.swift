import Packet
import Settings

extension FirewallTable {
    /// How the names of all kill switches' tables begin.
    static let killSwitchBase = "bondd_killswitch"
    /// The name under which packets are counted that would have left outside the tunnel.
    public static let refused = "bondd: outside the tunnel"

    /// The table of a client's `kill_switch`.
    public static func killSwitchName(interface: String) -> String {
        name(killSwitchBase, interface: interface)
    }

    /// Whether this is the name of some tunnel's kill switch.
    static func isKillSwitch(_ name: String) -> Bool {
        name == killSwitchBase || name.hasPrefix(killSwitchBase + ".")
    }

    /// Nothing leaves outside the tunnel but what carries the tunnel, and what an interface needs to have an address: bondd's
    /// datagrams to its server, DHCP, and IPv6's neighbour discovery. Connections that were there before have no privilege.
    /// - Parameter allowsNames: whether names may be looked up outside, as none of the server's addresses is known.
    public static func killSwitch(
        interface: String, endpoints: [Endpoint], allowsNames: Bool
    ) -> FirewallTable {
        var output = [FirewallRule().into("lo").then(.accept), FirewallRule().into(interface).then(.accept)]
        output += endpoints.compactMap { endpoint in
            CIDR(endpoint.address, length: endpoint.address.byteCount * 8).map {
                FirewallRule().marked(TunnelMark.value).destination($0).udp(destination: endpoint.port)
                    .then(.accept)
            }
        }
        output += [
            // DHCP: a client's ports and a server's, of IPv4 and of IPv6.
            FirewallRule().of(.v4).udp(source: 68, destination: 67).then(.accept),
            FirewallRule().of(.v4).udp(source: 67, destination: 68).then(.accept),
            FirewallRule().of(.v6).udp(source: 546, destination: 547).then(.accept),
            FirewallRule().of(.v6).udp(source: 547, destination: 546).then(.accept),
            // Multicast listeners 130 to 132, routers and neighbours 133 to 136, MLDv2 143.
            FirewallRule().icmp6(types: 130...136).then(.accept),
            FirewallRule().icmp6(types: 143...143).then(.accept),
        ]
        if allowsNames {
            output += [
                FirewallRule().udp(destination: 53).then(.accept),
                FirewallRule().tcp(destination: 53).then(.accept),
            ]
        }
        // So that programs hear of it at once, also those with connections from before. (A connection that is being opened
        // takes an ICMP error for final only at its second try, a second later.)
        let refusal = [
            FirewallRule().tcp.counted(refused).then(.reset), FirewallRule().counted(refused).then(.reject),
        ]
        output += refusal
        // Whom this host routes for: into the tunnel and out of it, and nowhere else.
        let forward =
            [
                FirewallRule().into(interface).then(.accept), FirewallRule().from(interface).then(.accept),
            ] + refusal
        // Behind what others do at these points, which may change where a packet goes.
        return FirewallTable(
            name: killSwitchName(interface: interface),
            chains: [
                FirewallChain(name: "output", kind: .filter, hook: .output, priority: 200, rules: output),
                FirewallChain(name: "forward", kind: .filter, hook: .forward, priority: 200, rules: forward),
            ])
    }
}
