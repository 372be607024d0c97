import Glibc
import Packet
import Settings
import TestSupport
import Testing

@testable import Host

@Suite("Foreign firewalls", .enabled(if: OwnNetwork.isPermitted, "needs root"))
struct ForeignFirewallTests {
    /// The sentences about the firewall set up by the commands, one in each line.
    private func sentences(
        _ commands: String, egress: [String] = ["eth0"], services: Set<IPAddress.Family> = []
    ) throws -> [String] {
        try OwnNetwork.run {
            OwnNetwork.ip("link add bond0 type veth peer name eth0")
            for line in commands.split(separator: "\n") {
                #expect(OwnNetwork.output("\(line) 2>&1") == "", "\(line)")
            }
            let networks = [CIDR("10.77.0.0/24")!, CIDR("fd77::/64")!]
            let socket = try FirewallSocket()
            // bondd's own table accepts, which does not help against a drop elsewhere.
            try socket.replace(.nat(interface: "bond0", networks: networks, egress: egress, opened: [.v4]))
            return try ForeignFirewall.find(
                socket, tunnel: "bond0", networks: networks, egress: egress, services: services
            ).map(\.sentence)
        }
    }

    /// As set up by Docker: the policy drops everything except containers' packets.
    private let docker = """
        iptables-nft -P FORWARD DROP
        iptables-nft -N DOCKER
        iptables-nft -N DOCKER-USER
        iptables-nft -N DOCKER-ISOLATION-STAGE-1
        iptables-nft -A FORWARD -j DOCKER-USER
        iptables-nft -A FORWARD -j DOCKER-ISOLATION-STAGE-1
        iptables-nft -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        iptables-nft -A FORWARD -o docker0 -j DOCKER
        iptables-nft -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
        iptables-nft -A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp --dport 80 -j ACCEPT
        iptables-nft -A DOCKER-USER -m comment --comment x -j RETURN

        """

    @Test func dockersPolicy() throws {
        #expect(
            try sentences(docker) == [
                "Docker's firewall drops the clients' forwarded IPv4 packets (chain FORWARD of table ip filter); "
                    + "run: iptables -I DOCKER-USER -i bond0 -j ACCEPT && iptables -I DOCKER-USER -o bond0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
            ])
    }

    /// The advice helps.
    @Test func dockerWithItsUsersLeave() throws {
        let advice = """
            iptables-nft -I DOCKER-USER -i bond0 -j ACCEPT
            iptables-nft -I DOCKER-USER -o bond0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
            """
        #expect(try sentences(docker + advice) == [])
        #expect(try sentences(docker + advice.split(separator: "\n")[0]).count == 1, "answers are dropped")
        #expect(
            try sentences(
                docker + "iptables-nft -I DOCKER-USER -i bond+ -j ACCEPT\n"
                    + "iptables-nft -I DOCKER-USER -o bond0 -j ACCEPT") == [])
    }

    /// Rules that let clients out do not let users in.
    @Test func dockersPolicyAndServices() throws {
        let clients = """
            iptables-nft -I DOCKER-USER -i bond0 -j ACCEPT
            iptables-nft -I DOCKER-USER -o bond0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT

            """
        #expect(try sentences(docker, services: [.v4]).count == 2)
        #expect(
            try sentences(docker + clients, services: [.v4, .v6]) == [
                "Docker's firewall drops new IPv4 packets to services (chain FORWARD of table ip filter); "
                    + "run: iptables -I DOCKER-USER -o bond0 -m conntrack --ctstate DNAT -j ACCEPT && iptables -I DOCKER-USER -i bond0 -m conntrack --ctstate DNAT -j ACCEPT"
            ])
        let advice = """
            iptables-nft -I DOCKER-USER -o bond0 -m conntrack --ctstate DNAT -j ACCEPT
            iptables-nft -I DOCKER-USER -i bond0 -m conntrack --ctstate DNAT -j ACCEPT
            """
        #expect(try sentences(docker + clients + advice, services: [.v4]) == [])
    }

    @Test func ufwsPolicy() throws {
        let ufw = """
            iptables-nft -P FORWARD DROP
            ip6tables-nft -P FORWARD DROP
            iptables-nft -N ufw-before-forward
            iptables-nft -N ufw-user-forward
            ip6tables-nft -N ufw6-before-forward
            ip6tables-nft -N ufw6-user-forward
            iptables-nft -A FORWARD -j ufw-before-forward
            ip6tables-nft -A FORWARD -j ufw6-before-forward
            iptables-nft -A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
            iptables-nft -A ufw-before-forward -p icmp --icmp-type echo-request -j ACCEPT
            iptables-nft -A ufw-before-forward -j ufw-user-forward
            ip6tables-nft -A ufw6-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
            ip6tables-nft -A ufw6-before-forward -j ufw6-user-forward

            """
        let found = try sentences(ufw)
        #expect(found.count == 2 && found.allSatisfy { $0.contains("run: ufw route allow in on bond0") })
        #expect(
            try sentences(
                ufw + "iptables-nft -A ufw-user-forward -i bond0 -j ACCEPT\n"
                    + "ip6tables-nft -A ufw6-user-forward -i bond0 -j ACCEPT") == [])
    }

    @Test func firewalldsZones() throws {
        let chains = """
            nft add table inet firewalld
            nft 'add chain inet firewalld filter_FORWARD { type filter hook forward priority filter + 10; policy accept; }'
            nft add chain inet firewalld filter_FWD_public
            nft add chain inet firewalld filter_FWD_trusted
            nft add rule inet firewalld filter_FWD_trusted accept
            nft add rule inet firewalld filter_FWD_public reject with icmpx admin-prohibited
            nft add rule inet firewalld filter_FORWARD ct state established,related accept
            nft add rule inet firewalld filter_FORWARD ct state invalid drop
            nft add rule inet firewalld filter_FORWARD ip6 daddr ::/96 reject

            """
        let rest = """
            nft add rule inet firewalld filter_FORWARD goto filter_FWD_public
            """
        #expect(
            try sentences(chains + rest) == [
                "firewalld drops the clients' forwarded IPv4 and IPv6 packets (chain filter_FORWARD of table inet firewalld); "
                    + "run: firewall-cmd --permanent --zone=trusted --add-interface=bond0 && firewall-cmd --reload"
            ])
        let zone = "nft add rule inet firewalld filter_FORWARD iifname bond0 goto filter_FWD_trusted\n"
        #expect(try sentences(chains + zone + rest) == [])
    }

    @Test func somebodysOwn() throws {
        let chain = """
            nft add table ip mine
            nft 'add chain ip mine passing { type filter hook forward priority 5; policy drop; }'
            nft add rule ip mine passing tcp dport 80 accept

            """
        #expect(
            try sentences(chain) == [
                "another firewall drops the clients' forwarded IPv4 packets (chain passing of table ip mine); run: "
                    + #"nft insert rule ip mine passing iifname "bond0" accept && nft insert rule ip mine passing oifname "bond0" ct state established,related accept"#
            ])
        for accepting in [
            "ip saddr 10.77.0.0/24 accept", "ip saddr 10.0.0.0/8 accept", "iifname bond0 oifname eth0 accept",
            "iifname bond0 tcp dport 443 accept", "ip protocol != 255 iifname bond0 accept",
            "iif bond0 accept",
            "iifname { bond0, lo } accept", "iifname vmap { bond0 : accept, lo : drop }",
            "iifname . oifname { bond0 . eth0 } accept",
        ] {
            let rules =
                "nft 'add rule ip mine passing \(accepting)'\nnft add rule ip mine passing ct state established accept"
            #expect(try sentences(chain + rules) == [], "\(accepting)")
        }
        for useless in ["iifname eth1 accept", "ip saddr 10.78.0.0/24 accept", "ct state established accept"]
        {
            #expect(try sentences(chain + "nft add rule ip mine passing \(useless)").count == 1, "\(useless)")
        }
    }

    /// Chains cannot jump in a circle, but rulesets can be long and wide.
    @Test func whatDropsNothingIsNotAccused() throws {
        #expect(try sentences("nft add table ip mine") == [])
        #expect(
            try sentences(
                """
                nft add table inet mine
                nft 'add chain inet mine passing { type filter hook forward priority 5; }'
                nft add rule inet mine passing iifname docker0 drop
                nft add rule inet mine passing tcp dport 25 drop
                nft 'add chain inet mine incoming { type filter hook input priority 5; policy drop; }'
                """) == [])
        #expect(try sentences(docker, egress: []) == [])
    }
}
