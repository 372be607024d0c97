import Packet
import TestSupport
import Testing

@testable import Host

/// Other programs' firewalls and packets to this host's own ports.
@Suite("Firewalls on input", .enabled(if: OwnNetwork.isPermitted, "needs root"))
struct InputFirewallTests {
    private let listen = PortUse(.udp, 5000...5000, purpose: "where clients reach this server")
    private let web = PortUse(.tcp, 8443...8443, purpose: "where web is served")

    /// The findings for a firewall set up by these commands, one in each line. Users arrive on eth0.
    private func findings(_ commands: String, _ uses: PortUse...) throws -> [ForeignFirewall.Finding] {
        try OwnNetwork.run {
            OwnNetwork.ip("link add eth0 type veth peer name eth1")
            OwnNetwork.ip("link set eth0 up")
            OwnNetwork.ip("addr add 192.0.2.1/24 dev eth0")
            OwnNetwork.ip("route add default via 192.0.2.9")
            OwnNetwork.ip("-6 route add default dev eth0")
            for line in commands.split(separator: "\n") {
                #expect(OwnNetwork.output("\(line) 2>&1") == "", "\(line)")
            }
            return try ForeignFirewall.blocking(input: uses)
        }
    }

    private let denying = """
        nft 'add table inet fw; add chain inet fw in { type filter hook input priority 0; policy drop; }'
        nft add rule inet fw in ct state established,related accept
        nft add rule inet fw in iifname lo accept
        nft add rule inet fw in iifname eth1 accept
        nft add rule inet fw in tcp dport 22 accept
        nft add rule inet fw in udp sport 67 udp dport 68 accept
        nft add rule inet fw in icmp type echo-request accept

        """

    @Test func aPolicyIsNamedWithWhatHelps() throws {
        #expect(try findings("", listen, web).isEmpty)
        let found = try findings(denying, listen, web)
        #expect(
            found.map(\.sentence) == [
                "another firewall drops IPv4 and IPv6 packets to UDP port 5000, where clients reach this server (chain in of table inet fw); run: nft insert rule inet fw in udp dport 5000 accept",
                "another firewall drops IPv4 and IPv6 packets to TCP port 8443, where web is served (chain in of table inet fw); run: nft insert rule inet fw in tcp dport 8443 accept",
            ])
        #expect(found.map(\.isCertain) == [true, true])
        // The advice helps.
        #expect(try findings(denying + found.map(\.remedy).joined(separator: "\n"), listen, web).isEmpty)
        let range = PortUse(.tcp, 8000...8010, families: [.v4], purpose: "x")
        let remedy = try findings(denying, range)[0].remedy
        #expect(remedy == "nft insert rule inet fw in tcp dport 8000-8010 accept")
        #expect(try findings(denying + remedy, range).isEmpty)
        // A single IP version: the other is not reported.
        let four = try findings(
            denying + "nft add rule inet fw in meta nfproto ipv6 udp dport 5000 accept", listen)
        #expect(four.map(\.families) == [[.v4]])
    }

    /// Ports in sets, named and not, ranges, maps of verdicts, and several values together.
    @Test(arguments: [
        "nft add rule inet fw in udp dport '{ 22, 4990-5010 }' accept",
        "nft add rule inet fw in udp dport 4990-5010 accept",
        "nft add rule inet fw in udp dport != 22 accept",
        "nft add rule inet fw in th dport 5000 accept",
        "nft add rule inet fw in udp dport vmap '{ 53 : drop, 5000 : accept }'",
        "nft add rule inet fw in iifname . udp dport '{ \"eth0\" . 5000 }' accept",
        "nft add rule inet fw in udp dport 5000 limit rate 100/second accept",
        "nft 'add chain inet fw wan; add rule inet fw in iifname vmap { lo : accept, eth0 : jump wan }; add rule inet fw wan meta l4proto vmap { tcp : drop, udp : accept }'",
        "nft 'add set inet fw ports { type inet_service; flags interval; elements = { 4000-4999, 5000-6000 }; }; add rule inet fw in udp dport @ports accept'",
        "nft 'add rule inet fw in ct state vmap { established : accept, new : accept }'",
        "nft add rule inet fw in fib daddr type local accept",
    ])
    func whatLetsItIn(rule: String) throws {
        #expect(try findings(denying + rule, listen).isEmpty)
    }

    @Test(arguments: [
        "nft add rule inet fw in udp dport '{ 22, 4990-4999, 5001-5010 }' accept",
        "nft add rule inet fw in tcp dport 5000 accept",
        "nft add rule inet fw in udp dport vmap '{ 53 : accept, 5000 : drop }'",
        "nft add rule inet fw in iifname . udp dport '{ \"eth1\" . 5000 }' accept",
        "nft 'add chain inet fw wan; add rule inet fw in iifname vmap { lo : accept, eth1 : jump wan }; add rule inet fw wan accept'",
        "nft 'add set inet fw ports { type inet_service; }; add rule inet fw in udp dport @ports accept'",
        "nft 'add rule inet fw in ct state vmap { established : accept, invalid : drop }'",
        "nft add rule inet fw in fib daddr type multicast accept",
        "nft add rule inet fw in ct state != new accept",
    ])
    func whatDoesNot(rule: String) throws {
        #expect(try findings(denying + rule, listen).map(\.isCertain) == [true])
    }

    /// Some sources may be all there are: it is reported as a possibility.
    @Test func someSourcesMayPass() throws {
        let found = try findings(denying + "nft add rule inet fw in ip saddr 10.0.0.0/8 accept", web)
        #expect(found.map(\.isCertain) == [false, true] && found.map(\.families) == [[.v4], [.v6]])
        #expect(found[0].sentence.contains("drops some IPv4 packets"))
        // The rule's author had the port in mind.
        let rule = "nft add rule inet fw in ip saddr 10.0.0.0/8 tcp dport 8443 accept"
        #expect(try findings(denying + rule, web).map(\.families) == [[.v6]])
    }

    private let ufw = """
        iptables-nft -P INPUT DROP
        ip6tables-nft -P INPUT DROP
        iptables-nft -N ufw-before-input
        iptables-nft -N ufw-user-input
        iptables-nft -N ufw-not-local
        ip6tables-nft -N ufw6-user-input
        iptables-nft -A INPUT -j ufw-before-input
        ip6tables-nft -A INPUT -j ufw6-user-input
        iptables-nft -A ufw-before-input -i lo -j ACCEPT
        iptables-nft -A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        iptables-nft -A ufw-before-input -m conntrack --ctstate INVALID -j DROP
        iptables-nft -A ufw-before-input -p udp --sport 67 --dport 68 -j ACCEPT
        iptables-nft -A ufw-before-input -j ufw-not-local
        iptables-nft -A ufw-before-input -j ufw-user-input
        iptables-nft -A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
        iptables-nft -A ufw-not-local -m limit --limit 3/min -j LOG
        iptables-nft -A ufw-not-local -j DROP
        iptables-nft -A ufw-user-input -p tcp --dport 22 -j ACCEPT
        iptables-nft -A ufw-user-input -p tcp -m multiport --dports 80,443 -j ACCEPT

        """

    @Test func ufwsPolicy() throws {
        #expect(
            try findings(ufw, listen, web).map(\.sentence) == [
                "ufw drops IPv4 and IPv6 packets to UDP port 5000, where clients reach this server (chain INPUT of table ip filter); run: ufw allow 5000/udp",
                "ufw drops IPv4 and IPv6 packets to TCP port 8443, where web is served (chain INPUT of table ip filter); run: ufw allow 8443/tcp",
            ])
        // ufw's form of it.
        let allowed = """
            iptables-nft -A ufw-user-input -p udp --dport 5000 -j ACCEPT
            ip6tables-nft -A ufw6-user-input -p udp --dport 5000 -j ACCEPT
            iptables-nft -A ufw-user-input -p tcp -m multiport --dports 80,8000:9000 -j ACCEPT
            ip6tables-nft -A ufw6-user-input -p tcp -m multiport --dports 80,8000:9000 -j ACCEPT
            """
        #expect(try findings(ufw + allowed, listen, web).isEmpty)
    }

    @Test func iptablesAndFirewalld() throws {
        let plain = try findings("iptables-nft -A INPUT -p udp -j DROP", listen)
        #expect(plain.map(\.remedy) == ["iptables -I INPUT -p udp --dport 5000 -j ACCEPT"])
        let zones = """
            nft add table inet firewalld
            nft 'add chain inet firewalld filter_INPUT { type filter hook input priority filter + 10; policy accept; }'
            nft add chain inet firewalld filter_IN_public
            nft add chain inet firewalld filter_IN_public_allow
            nft 'add rule inet firewalld filter_INPUT ct state { established, related } accept'
            nft add rule inet firewalld filter_INPUT iifname lo accept
            nft add rule inet firewalld filter_INPUT iifname eth0 goto filter_IN_public
            nft add rule inet firewalld filter_IN_public jump filter_IN_public_allow
            nft add rule inet firewalld filter_IN_public_allow tcp dport 22 ct state new accept
            nft add rule inet firewalld filter_IN_public meta l4proto '{ icmp, ipv6-icmp }' accept
            nft add rule inet firewalld filter_IN_public reject with icmpx admin-prohibited

            """
        #expect(
            try findings(zones, web).map(\.remedy) == [
                "firewall-cmd --permanent --add-port=8443/tcp && firewall-cmd --reload"
            ])
        let allowed = "nft add rule inet firewalld filter_IN_public_allow tcp dport 8443 ct state new accept"
        #expect(try findings(zones + allowed, web).isEmpty)
    }
}
