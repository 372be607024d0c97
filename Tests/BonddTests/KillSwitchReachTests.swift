import Host
import Packet
import Settings
import Testing

@testable import bondd

/// Which name servers become unreachable through a kill switch.
@Suite("Kill switch and names") struct KillSwitchReachTests {
    private func reach(full: Bool, lan: Bool = false) -> KillSwitchReach {
        var lanRoute = NetworkRoute(
            table: NetworkRoute.mainTable, network: CIDR("192.168.1.0/24")!, interface: 2)
        lanRoute.gateway = nil
        let tunnel = NetworkRoute(
            table: NetworkRoute.mainTable, network: CIDR("10.77.0.0/24")!, interface: 9)
        let network = LocalNetwork(
            interface: "eth0", network: CIDR("192.168.1.0/24")!, beyond: [CIDR("192.168.1.128/25")!])
        return KillSwitchReach(
            tunnel: 9, inside: [CIDR("10.77.0.0/24")!], families: full ? [.v4] : [],
            routes: [lanRoute, tunnel], local: lan ? [network] : [])
    }

    @Test func theLANsResolverIsRefused() {
        let servers = [IPAddress("127.0.0.53")!, IPAddress("192.168.1.1")!]
        let notice = reach(full: true).notice(of: servers)
        #expect(notice?.contains("192.168.1.1") == true && notice?.contains("[tunnel] dns") == true)
        #expect(notice?.contains("127.0.0.53") == false)
        #expect(reach(full: true, lan: true).notice(of: servers) == nil)
        #expect(reach(full: true, lan: true).notice(of: [IPAddress("192.168.1.200")!]) != nil)
    }

    @Test func whatTheTunnelLeadsToIsReached() {
        let (inside, public4, public6) = (
            IPAddress("10.77.0.1")!, IPAddress("9.9.9.9")!, IPAddress("2620:fe::9")!
        )
        for full in [false, true] { #expect(reach(full: full).notice(of: [inside]) == nil) }
        #expect(reach(full: true).notice(of: [public4]) == nil)
        #expect(reach(full: true).notice(of: [public6]) != nil)
        #expect(reach(full: false).notice(of: [public4]) != nil)
        // One that answers is enough, and nothing is known without any.
        #expect(reach(full: true).notice(of: [public6, public4]) == nil)
        #expect(reach(full: false).notice(of: []) == nil)
    }
}
