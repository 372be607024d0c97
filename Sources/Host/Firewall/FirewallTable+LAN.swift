import CNetlink
import Packet
import Settings

extension FirewallTable {
    /// The table of a client's `[lan]`.
    package static func lanName(interface: String) -> String { name("bondd_lan", interface: interface) }

    /// The name under which packets from the LAN into the tunnel are counted.
    package static let fromLAN = "bondd: LAN to tunnel"
    /// The name under which packets from the tunnel to the LAN are counted.
    package static let toLAN = "bondd: tunnel to LAN"

    /// Shares the tunnel with the networks behind `lan`.
    ///
    /// - postrouting: packets from the LAN into the tunnel are masqueraded, except those from networks that the
    ///   server routes here: they keep their addresses, so that both ends of a site-to-site connection see the
    ///   real peer.
    /// - forward: LAN to tunnel and the replies pass; new connections from the tunnel reach only the routed
    ///   networks and ports that the operator has translated.
    /// - prerouting: if no name server on this host serves the LAN, DNS queries to this host are redirected to
    ///   the tunnel's name servers.
    ///
    /// - Parameters:
    ///   - lan: the LAN's interfaces.
    ///   - networks: the networks that the server routes to this client.
    ///   - resolvers: the tunnel's name servers that answer the LAN; empty if this host answers itself, or
    ///     nothing does.
    ///   - opened: families that were not forwarded before bondd started: they are forwarded only for the LAN.
    package static func lan(
        interface: String, lan: [String], networks: [CIDR], resolvers: [IPAddress],
        opened: Set<IPAddress.Family>
    ) -> FirewallTable {
        // The priorities are nft's "dstnat", "filter" and "srcnat".
        FirewallTable(
            name: lanName(interface: interface),
            chains: [
                FirewallChain(
                    name: "prerouting", kind: .nat, hook: .prerouting, priority: -100,
                    rules: lan.flatMap { name in
                        [IPAddress.Family.v4, .v6].flatMap { family -> [FirewallRule] in
                            guard let resolver = resolvers.first(where: { $0.family == family }) else {
                                return []
                            }
                            let asked = FirewallRule().from(name).of(family).toThisHost
                            return [
                                asked.udp(destination: 53).sent(to: resolver, port: 53),
                                asked.tcp(destination: 53).sent(to: resolver, port: 53),
                            ]
                        }
                    }),
                FirewallChain(
                    name: "forward", kind: .filter, hook: .forward, priority: 0,
                    rules: lan.flatMap { forwarding($0, interface, networks) }
                        + lan.flatMap { from in
                            lan.filter { $0 != from }.map { FirewallRule().from(from).into($0).then(.accept) }
                        } + lan.flatMap { closing($0, opened) }),
                FirewallChain(
                    name: "postrouting", kind: .nat, hook: .postrouting, priority: 100,
                    rules: networks.map { FirewallRule().source($0).into(interface).then(.accept) }
                        + lan.map { FirewallRule().from($0).into(interface).masqueraded }),
            ])
    }

    /// The rules between a LAN interface and the tunnel.
    private static func forwarding(
        _ lan: String, _ tunnel: String, _ networks: [CIDR]
    ) -> [FirewallRule] {
        let (out, back) = (FirewallRule().from(lan).into(tunnel), FirewallRule().from(tunnel).into(lan))
        return [
            out.synchronizing.clamped, back.synchronizing.clamped,
            out.counted(fromLAN).then(.accept),
            back.of([.established, .related]).counted(toLAN).then(.accept),
        ]
            + networks.map {
                FirewallRule().destination($0).from(tunnel).into(lan).counted(toLAN).then(.accept)
            }
            // Even if forwarding was already on, the tunnel must not open the LAN to hosts at its other end.
            + [back.translated.then(.accept), back.then(.drop)]
    }

    /// Turning this host into a router must not open the LAN to the uplinks' neighbors, nor the uplinks to the
    /// LAN outside the tunnel.
    private static func closing(_ lan: String, _ opened: Set<IPAddress.Family>) -> [FirewallRule] {
        [IPAddress.Family.v4, .v6].filter(opened.contains).flatMap { family in
            let (out, back) = (FirewallRule().of(family).from(lan), FirewallRule().of(family).into(lan))
            return [
                out.of([.established, .related]).then(.accept), out.translated.then(.accept), out.then(.drop),
                back.of([.established, .related]).then(.accept), back.translated.then(.accept),
                back.then(.drop),
            ]
        }
    }
}

extension FirewallRule {
    /// Sets the connection's destination.
    fileprivate func sent(to address: IPAddress, port: UInt16) -> FirewallRule {
        var bytes = [UInt8](repeating: 0, count: address.byteCount)
        bytes.withUnsafeMutableBytes { address.write(to: $0) }
        // The port follows the address, as `destinationNAT` expects.
        let slot: UInt32 = address.family == .v4 ? 1 : 4
        return with(
            .load(bytes), .load([UInt8(port >> 8), UInt8(port & 0xFF)], slot: slot),
            .destinationNAT(address.family))
    }
}
