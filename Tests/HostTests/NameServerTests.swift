import Glibc
import Packet
import Runtime
import Settings
import TestSupport
import Testing

@testable import Host

@Suite struct ResolverFileTests {
    private let servers = [IPAddress("10.77.0.1")!, IPAddress("fd77::1")!]

    private func withFile(
        _ body: (ResolverFile, _ text: String, _ directory: TemporaryDirectory) throws -> Void
    ) throws {
        let directory = TemporaryDirectory()
        let file = ResolverFile(
            path: "\(directory.path)/resolv.conf", backup: "\(directory.path)/bond0.resolv.conf")
        try body(file, ResolverFile.text(servers, interface: "nobody0"), directory)
        #expect(access(file.backup, F_OK) != 0, "a backup is left")
    }

    private func read(_ path: String) -> String? { try? TextFile.read(path, limit: 4096) }

    private func write(_ text: String, _ path: String) throws {
        try StateFile.replace(path, with: Array(text.utf8), mode: 0o640)
    }

    @Test(arguments: ["", "nameserver 192.0.2.53\n", "file 7\nlink x", "# äö\n\n"])
    func aFileComesBack(was: String) throws {
        try withFile { file, text, _ in
            try write(was, file.path)
            // A second time, as after a crash, does not change the backup.
            for _ in 0..<2 { try file.replace(with: text) }
            #expect(read(file.path) == text && text.contains("nameserver fd77::1\n"))
            for _ in 0..<2 { try file.restore() }
            #expect(read(file.path) == was)
            var facts = stat()
            stat(file.path, &facts)
            #expect(facts.st_mode & 0o777 == 0o640)
        }
    }

    @Test func noFileIsNoFileAgain() throws {
        try withFile { file, text, _ in
            try file.replace(with: text)
            #expect(read(file.path) == text)
            try file.restore()
            #expect(access(file.path, F_OK) != 0)
        }
    }

    @Test func aLinkComesBackAlsoOneToNowhere() throws {
        for target in ["stub", "/nowhere/stub"] {
            try withFile { file, text, directory in
                try write("nameserver 127.0.0.53\n", "\(directory.path)/stub")
                #expect(symlink(target, file.path) == 0)
                try file.replace(with: text)
                #expect(read(file.path) == text)
                #expect(read("\(directory.path)/stub") == "nameserver 127.0.0.53\n")
                try file.restore()
                var buffer = [CChar](repeating: 0, count: 64)
                #expect(readlink(file.path, &buffer, 63) == target.utf8.count)
            }
        }
    }

    @Test func whatOthersWroteStays() throws {
        try withFile { file, text, _ in
            try write("nameserver 192.0.2.53\n", file.path)
            try file.replace(with: text)
            try write("nameserver 198.51.100.53\n", file.path)
            try file.restore()
            #expect(read(file.path) == "nameserver 198.51.100.53\n")
        }
    }

    @Test func anotherTunnelsAreNotTakenForTheHosts() throws {
        try withFile { file, text, _ in
            // lo represents an existing tunnel.
            let other = ResolverFile.text(servers, interface: "lo")
            try write(other, file.path)
            do throws(HostError) {
                try file.replace(with: text)
                Issue.record("it took another's for the host's")
            } catch {
                #expect(error.description.contains("the bondd of lo has set them"), "\(error)")
            }
            #expect(read(file.path) == other)
        }
    }
}

@Suite struct UplinkTests {
    private func interface(
        _ index: UInt32, _ name: String, _ kind: String? = nil, hardware: UInt16 = 1
    ) -> NetworkInterface {
        NetworkInterface(
            index: index, name: name, mtu: 1500, isUp: true, hasCarrier: true, kind: kind, hardware: hardware)
    }

    private func found(
        _ interfaces: [NetworkInterface], _ include: [String] = ["*"], _ exclude: [String] = []
    )
        -> [String]
    {
        let routes = interfaces.map { interface in
            var route = NetworkRoute(table: 254, network: .anywhere(.v4), interface: interface.index)
            // Any table will do.
            route.table = interface.index == 1 ? 254 : 100 + interface.index
            return route
        }
        return Uplink.find(
            in: interfaces + [interface(99, "spare0")], routes: routes,
            discovery: Configuration.Discovery(include: include, exclude: exclude), besides: [50],
            classes: "/nowhere"
        ).map(\.interface.name)
    }

    @Test func virtualOnesAreLeftOutUnlessNamed() {
        let all = [
            interface(1, "eth0"), interface(2, "veth1", "veth"), interface(3, "docker0", "bridge"),
            interface(4, "tailscale0", "tun"), interface(5, "wg0", "wireguard"),
            interface(6, "eth0.7", "vlan"),
            interface(7, "bond1", "bond"), interface(8, "lo", hardware: 772), interface(50, "bond0", "tun"),
            interface(9, "dummy0", "dummy"),
        ]
        #expect(found(all) == ["bond1", "eth0", "eth0.7"])
        #expect(found(all, ["*", "veth*"]) == ["bond1", "eth0", "eth0.7", "veth1"])
        #expect(found(all, ["*"], ["eth0.*"]) == ["bond1", "eth0"])
        #expect(found(all, ["wg0", "bond0", "lo"]) == ["wg0"])
        #expect(found(all, []).isEmpty)
    }

    @Test func wiredComesBeforeWifiBeforeCellular() throws {
        let directory = TemporaryDirectory()
        let files = [
            ("wwan0", "uevent", "INTERFACE=wwan0\nDEVTYPE=wwan\n"), ("wlan0", "uevent", "DEVTYPE=wlan\n"),
            ("old0", "wireless", ""), ("enp1s0", "uevent", "INTERFACE=enp1s0\n"),
        ]
        defer { for (name, file, _) in files { unlink("\(directory.path)/\(name)/\(file)") } }
        for (name, file, text) in files {
            try StateFile.replace("\(directory.path)/\(name)/\(file)", with: Array(text.utf8))
        }
        let interfaces = [
            interface(1, "wwan0"), interface(2, "wlan0"), interface(3, "enp1s0"), interface(4, "old0"),
            interface(5, "ppp0", "ppp", hardware: 512), interface(6, "gone0"),
        ]
        let media = interfaces.map { Medium($0, classes: directory.path) }
        #expect(media == [.cellular, .wifi, .wired, .wifi, .cellular, .wired])
        let routes = interfaces.map {
            NetworkRoute(table: 254, network: .anywhere(.v6), interface: $0.index)
        }
        let order = Uplink.find(
            in: interfaces, routes: routes, discovery: .all, besides: [], classes: directory.path)
        #expect(order.map(\.interface.name) == ["enp1s0", "gone0", "old0", "wlan0", "ppp0", "wwan0"])
    }
}
