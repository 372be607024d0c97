import Glibc
import Packet
import Settings
import TestSupport
import Testing

@testable import Host

/// The kinds of interfaces that are uplinks, and their media.
@Suite struct UplinkKindTests {
    private func interface(
        _ index: UInt32, _ name: String, _ kind: String? = nil, hardware: UInt16 = 1, mtu: Int = 1500
    ) -> NetworkInterface {
        NetworkInterface(
            index: index, name: name, mtu: mtu, isUp: true, hasCarrier: true, kind: kind, hardware: hardware)
    }

    private func `default`(_ interface: NetworkInterface, table: UInt32 = NetworkRoute.mainTable)
        -> NetworkRoute
    {
        NetworkRoute(table: table, network: .anywhere(.v4), interface: interface.index)
    }

    private func find(
        _ interfaces: [NetworkInterface], _ routes: [NetworkRoute], include: [String] = ["*"],
        exclude: [String] = []
    ) -> (found: [String], leftOut: [String]) {
        let discovery = Configuration.Discovery(include: include, exclude: exclude)
        let found = Uplink.find(
            in: interfaces, routes: routes, discovery: discovery, besides: [50], classes: "/nowhere")
        let left = Uplink.leftOut(of: interfaces, routes: routes, discovery: discovery, besides: [50])
        return (found.map(\.interface.name), left.map(\.name))
    }

    @Test func portsOfSwitchChipsAndInfiniBandAreHardware() {
        let all = [
            interface(1, "wan", "dsa"), interface(2, "ib0.8001", "ipoib", hardware: 32),
            interface(3, "wwan0", "rmnet"),
        ]
        // Any table suffices for them.
        #expect(find(all, all.map { `default`($0, table: 100) }).found == ["ib0.8001", "wan", "wwan0"])
    }

    @Test(arguments: ["bridge", "openvswitch", "macvlan", "ipvlan", "macsec"])
    func whatStandsInForHardwareIsAnUplinkWithTheHostsWayOut(kind: String) {
        let port = interface(1, "eno1")
        let above = interface(2, "vmbr0", kind)
        #expect(find([port, above], [`default`(above)]).found == ["vmbr0"])
        // A table that leads into a gateway container does not make an uplink of Docker's bridge, but it is reported.
        let other = find([port, above], [`default`(port), `default`(above, table: 77)])
        #expect(other.found == ["eno1"] && other.leftOut == ["vmbr0"])
    }

    @Test func whatIsLeftOutIsToldUnlessItIsExcluded() {
        let all = [
            interface(1, "eth0"), interface(2, "veth1", "veth"), interface(3, "wg0", "wireguard"),
            interface(50, "bond0", "tun"), interface(5, "clat", "tun"),
        ]
        let routes = all.map { `default`($0) }
        #expect(find(all, routes).leftOut == ["clat", "veth1", "wg0"])
        #expect(find(all, routes, include: ["*", "veth1"], exclude: ["wg*"]).leftOut == ["clat"])
        // Hardware that no pattern includes is left out on purpose.
        #expect(find(all, routes, include: ["veth*"]).leftOut == ["clat", "wg0"])
        #expect(find(all, [`default`(all[0])]).leftOut.isEmpty)
        #expect(all[1].reasonForLeavingOut.contains("virtual (veth)"))
        #expect(all[4].reasonForLeavingOut.contains("464XLAT"))
    }

    @Test func pppOverEthernetIsWiredAndAModemsIsNot() {
        let directory = TemporaryDirectory()
        let title = "Id       Address              Device\n"
        directory.file("none", title)
        directory.file("one", title + "00000001 02:00:00:00:00:01    eth0\n")
        func medium(_ name: String, mtu: Int, _ sessions: String) -> Medium {
            Medium(
                interface(1, name, "ppp", hardware: 512, mtu: mtu), classes: "/nowhere",
                sessions: "\(directory.path)/\(sessions)")
        }
        #expect(medium("ppp0", mtu: 1492, "one") == .wired)
        #expect(medium("ppp1", mtu: 1500, "one") == .cellular)
        #expect(medium("ppp0", mtu: 1492, "none") == .cellular)
        #expect(medium("ppp0", mtu: 1492, "missing") == .cellular)
        #expect(medium("pppoe-wan", mtu: 1500, "missing") == .wired)
    }
}

/// Interfaces named by their hardware.
@Suite struct HardwareTests {
    private let stick = HardwarePath(
        place: "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.4/1-1.4:1.0")
    private let card = HardwarePath(place: "/sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.0")
    private let soc = HardwarePath(place: "/sys/devices/platform/soc/1c30000.ethernet")

    @Test(arguments: [
        "1-1.4", "1-1/1-1.4", "1-1.4:1.0", "usb-0000:00:14.0-1.4", "pci-0000:00:14.0-usb-0:1.4:1.0",
        "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.4/1-1.4:1.0", "0000:00:14.0/usb1/1-1/1-1.4",
    ])
    func aStickIsNamed(by name: String) { #expect(stick.matches(name) && !card.matches(name)) }

    @Test func othersAreNamed() {
        for name in ["0000:02:00.0", "pci-0000:02:00.0", "0000:00:1c.0/0000:02:00.0"] {
            #expect(card.matches(name) && !stick.matches(name), "\(name)")
        }
        #expect(soc.matches("1c30000.ethernet") && soc.matches("soc/1c30000.ethernet"))
        #expect(
            !stick.matches("1-1.40") && !stick.matches("1.4") && !stick.matches("") && !stick.matches("/"))
        #expect(stick.name == "usb-0000:00:14.0-1.4" && card.name == "0000:02:00.0")
        #expect(soc.name == "1c30000.ethernet")
    }

    private func interface(_ index: UInt32, _ name: String, _ mac: String, kind: String? = nil)
        -> NetworkInterface
    {
        NetworkInterface(
            index: index, name: name, mtu: 1500, isUp: true, hasCarrier: true, kind: kind, hardware: 1,
            mac: mac)
    }

    @Test func theInterfaceIsFound() throws {
        let directory = TemporaryDirectory()
        for (name, place) in [("eth1", "1-1/1-1.4"), ("eth2", "1-1/1-1.3")] {
            for part in ["devices", "devices/1-1", "devices/\(place)", name] {
                mkdir("\(directory.path)/\(part)", 0o755)
            }
            symlink("\(directory.path)/devices/\(place)", "\(directory.path)/\(name)/device")
        }
        defer { for name in ["eth1", "eth2"] { unlink("\(directory.path)/\(name)/device") } }
        let all = [
            interface(2, "eth1", "00:11:22:33:44:55"), interface(3, "eth2", "00:11:22:33:44:56"),
            interface(4, "eth1.7", "00:11:22:33:44:55", kind: "vlan"),
        ]
        func find(_ hardware: Configuration.Hardware, uplinks: Set<UInt32> = []) -> String? {
            hardware.find(among: all, classes: directory.path) { uplinks.contains($0.index) }?.interface.name
        }
        #expect(find(.device("1-1.3")) == "eth2" && find(.device("1-1.9")) == nil)
        #expect(find(.mac("00:11:22:33:44:56")) == "eth2" && find(.mac("00:00:00:00:00:01")) == nil)
        // A VLAN has the card's address: the one that is an uplink is meant, else the card.
        #expect(find(.mac("00:11:22:33:44:55")) == "eth1")
        #expect(find(.mac("00:11:22:33:44:55"), uplinks: [4]) == "eth1.7")
        let many = Configuration.Hardware.device("1-1").find(among: all, classes: directory.path) { _ in
            false
        }
        #expect(many?.interface.name == "eth1" && many?.others == ["eth2"])
    }

    @Test func otherHardwareBehindANameIsNoticed() {
        typealias Identity = HardwareLedger.Identity
        let (first, second) = (
            Identity(mac: "00:11:22:33:44:01", place: "usb-0000:00:14.0-1"),
            Identity(mac: "00:11:22:33:44:02", place: "usb-0000:00:14.0-2")
        )
        var ledger = HardwareLedger()
        #expect(ledger.note(["up1": first, "up2": second]).isEmpty)
        #expect(ledger.note(["up1": first]).isEmpty && ledger.identity(of: "up2") == second)
        #expect(ledger.note(["up1": second, "up2": first]) == ["up1", "up2"])
        #expect(ledger.note(["up1": second, "up2": first]).isEmpty)
        // The same modem in another port is the same, and a locally administered address alone proves nothing.
        #expect(ledger.note(["up1": Identity(mac: second.mac, place: "usb-0000:00:14.0-3")]).isEmpty)
        #expect(ledger.note(["veth0": Identity(mac: "ae:00:00:00:00:01", place: "-")]).isEmpty)
        #expect(ledger.note(["veth0": Identity(mac: "ae:00:00:00:00:02", place: "-")]).isEmpty)
        // But two names that have been swapped are recognized by any address.
        #expect(ledger.note(["veth1": Identity(mac: "ae:00:00:00:00:03", place: "-")]).isEmpty)
        let swapped = [
            "veth0": Identity(mac: "ae:00:00:00:00:03", place: "-"),
            "veth1": Identity(mac: "ae:00:00:00:00:02", place: "-"),
        ]
        #expect(ledger.note(swapped) == ["veth0", "veth1"])
        let directory = TemporaryDirectory()
        directory.file("bond0.hardware", ledger.text)
        #expect(HardwareLedger(reading: "\(directory.path)/bond0.hardware") == ledger)
        directory.file("bad", "no ledger\n\n\u{0}\na b c d\n")
        #expect(HardwareLedger(reading: "\(directory.path)/bad") == HardwareLedger())
    }
}

@Suite struct FirstHopTests {
    private func hop(
        _ path: String, _ interface: UInt32, _ local: String, _ router: String?, _ mac: String? = nil
    ) -> FirstHop {
        FirstHop(
            path: path, interface: interface, local: IPAddress(local)!, router: router.map { IPAddress($0)! },
            mac: mac)
    }

    @Test func oneRouterIsKnown() {
        let first = hop("a", 1, "192.168.1.10", "192.168.1.1", "02:00:00:00:00:01")
        #expect(first.isShared(with: hop("b", 1, "192.168.1.10", "192.168.1.1")))
        #expect(!first.isShared(with: hop("b", 1, "192.168.1.10", "192.168.1.254")))
        // A cable and Wi-Fi of one LAN.
        #expect(first.isShared(with: hop("b", 2, "192.168.1.11", "192.168.1.1", "02:00:00:00:00:01")))
        #expect(!first.isShared(with: hop("b", 2, "192.168.1.11", "192.168.1.1", "02:00:00:00:00:02")))
        #expect(!first.isShared(with: hop("b", 2, "192.168.1.11", "192.168.1.1")))
        // Two modems of the same model: every address is the same.
        #expect(!first.isShared(with: hop("b", 2, "192.168.1.10", "192.168.1.1", "02:00:00:00:00:01")))
        let six = hop("a", 1, "2001:db8:1::10", "fe80::1", "02:00:00:00:00:01")
        #expect(six.isShared(with: hop("b", 2, "2001:db8:1::11", "fe80::1", "02:00:00:00:00:01")))
        #expect(!six.isShared(with: hop("b", 2, "2001:db8:2::11", "fe80::1", "02:00:00:00:00:01")))
        // Point-to-point links.
        #expect(!hop("a", 1, "10.64.0.1", nil).isShared(with: hop("b", 2, "10.64.0.2", nil)))
        let shared = FirstHop.shared([
            first, hop("b", 3, "10.0.0.1", nil), hop("c", 1, "192.168.1.10", "192.168.1.1"),
        ])
        #expect(shared.map(\.path) == ["c"] && shared[0].with == first)
    }
}
