import Glibc
import Packet
import Settings
import TestSupport
import Testing

@testable import Host

@Suite struct AddressTests {
    @Test(arguments: [
        ("10.77.0.2/24", "10.77.0.0/24"), ("10.77.0.2/0", "0.0.0.0/0"), ("255.255.255.255/1", "128.0.0.0/1"),
        ("10.77.0.2/32", "10.77.0.2/32"), ("2001:db8:ffff::1/33", "2001:db8:8000::/33"), ("ff::1/0", "::/0"),
        ("fd77::1:2/64", "fd77::/64"), ("fd77::ffff/113", "fd77::8000/113"), ("fd77::1/128", "fd77::1/128"),
    ])
    func networks(text: String, network: String) {
        #expect(CIDR(text)?.description == text && CIDR(text)?.network.description == network)
    }

    @Test(arguments: [
        "", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "::/129", "a/8",
        "::/1000",
    ])
    func noNetworks(text: String) { #expect(CIDR(text) == nil) }

    @Test func contents() throws {
        let network = try #require(CIDR("10.77.0.1/24"))
        #expect(network.contains(IPAddress("10.77.0.255")!) && !network.contains(IPAddress("10.77.1.0")!))
        #expect(!network.contains(IPAddress("::10.77.0.2")!))
    }

    @Test(arguments: [
        "203.0.113.7:5000", "[2001:db8::7]:5000", "vpn.example.org:1", "localhost:65535", "a-b.c_d:9",
        "1.2.3.example:4",
    ])
    func hosts(text: String) { #expect(HostPort(text)?.description == text) }

    @Test(arguments: [
        "", ":5000", "a", "a:", "a:0", "a:65536", "a:+5", "-a:5", "a-:5", "a..b:5", ".a:5", "a b:5",
        "1.2.3.4.5:6",
        "256.1.1.1:5", "2001:db8::7:5000", "[1.2.3.4]:5", "é.org:5", "\(String(repeating: "a", count: 64)):5",
    ])
    func noHosts(text: String) { #expect(HostPort(text) == nil) }
}

@Suite(.serialized, .enabled(if: OwnNetwork.isPermitted, "needs root for network namespaces"))
struct NetlinkTests {
    /// Two ends of a cable: `near` and `far`, both down.
    func cable() throws -> (netlink: UInt32, far: UInt32) {
        OwnNetwork.ip("link add near type veth peer name far")
        return (if_nametoindex("near"), if_nametoindex("far"))
    }

    @Test func linksAreFoundAndChanged() throws {
        try OwnNetwork.run {
            let (near, far) = try cable()
            let netlink = try Netlink()
            #expect(try netlink.interface(named: "nobody") == nil)
            #expect(try netlink.interface(index: 4711) == nil)
            let before = try #require(try netlink.interface(named: "near"))
            #expect(before.index == near && before.name == "near" && before.mtu == 1500)
            #expect(!before.isUp && !before.hasCarrier)
            try netlink.setMTU(1400, ofInterface: near)
            try netlink.setUp(true, interface: near)
            var after = try #require(try netlink.interface(index: near))
            #expect(after.mtu == 1400 && after.isUp && !after.hasCarrier, "the other end is down")
            try netlink.setUp(true, interface: far)
            for _ in 0..<200 where !after.hasCarrier {
                usleep(10_000)
                after = try #require(try netlink.interface(index: near))
            }
            #expect(after.hasCarrier)
            #expect(try netlink.interfaces().map(\.name) == ["lo", "far", "near"])
            try netlink.setUp(false, interface: near)
            #expect(try netlink.interface(index: near)?.isUp == false)
        }
    }

    @Test func addressesComeAndGo() throws {
        try OwnNetwork.run {
            let (near, _) = try cable()
            let netlink = try Netlink()
            let addresses = [CIDR("10.77.0.2/24")!, CIDR("fd77::2/64")!]
            for address in addresses { try netlink.addAddress(address, toInterface: near) }
            #expect(try netlink.addresses(ofInterface: near) == addresses)
            #expect(try netlink.addresses(ofInterface: 1).map(\.description).contains("127.0.0.1/8"))
            for address in addresses {
                do throws(HostError) {
                    try netlink.addAddress(address, toInterface: near)
                    Issue.record("added twice")
                } catch {
                    #expect(error.alreadyThere && !error.notThere)
                }
            }
            for address in addresses { try netlink.removeAddress(address, fromInterface: near) }
            #expect(try netlink.addresses(ofInterface: near).isEmpty)
            do throws(HostError) {
                try netlink.removeAddress(addresses[0], fromInterface: near)
                Issue.record("removed twice")
            } catch {
                #expect(error.notThere && !error.alreadyThere)
            }
        }
    }

    @Test func anIPv6AddressIsNotTentative() throws {
        try OwnNetwork.run {
            let (near, far) = try cable()
            let netlink = try Netlink()
            try netlink.setUp(true, interface: near)
            try netlink.setUp(true, interface: far)
            try netlink.addAddress(CIDR("fd77::2/64")!, toInterface: near)
            // Duplicate address detection takes a second; bind refuses a tentative address.
            let socket = socket(AF_INET6, Int32(SOCK_DGRAM.rawValue), 0)
            defer { close(socket) }
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            withUnsafeMutableBytes(of: &name.sin6_addr) { IPAddress("fd77::2")!.write(to: $0) }
            var bound: Int32 = -1
            for _ in 0..<20 where bound != 0 {
                bound = withUnsafeBytes(of: name) {
                    bind(socket, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
                }
                if bound != 0 { usleep(10_000) }
            }
            #expect(bound == 0)
        }
    }

    @Test func routesComeAndGo() throws {
        try OwnNetwork.run {
            let (near, _) = try cable()
            let netlink = try Netlink()
            try netlink.setUp(true, interface: near)
            for text in ["0.0.0.0/0", "192.0.2.0/24", "::/0", "2001:db8::/32"] {
                let network = try #require(CIDR(text))
                try netlink.addRoute(to: network, interface: near, metric: 50)
                do throws(HostError) {
                    try netlink.addRoute(to: network, interface: near, metric: 50)
                    Issue.record("added twice")
                } catch {
                    #expect(error.alreadyThere)
                }
                try netlink.addRoute(to: network, interface: near, metric: 60)
                try netlink.removeRoute(to: network, interface: near, metric: 50)
                try netlink.removeRoute(to: network, interface: near, metric: 60)
                do throws(HostError) {
                    try netlink.removeRoute(to: network, interface: near, metric: 60)
                    Issue.record("removed twice")
                } catch {
                    #expect(error.notThere, "\(error)")
                }
            }
        }
    }

    @Test func theMetricDecidesAndTheRouteLeadsThere() throws {
        try OwnNetwork.run {
            let (near, far) = try cable()
            let netlink = try Netlink()
            try netlink.setUp(true, interface: near)
            try netlink.setUp(true, interface: far)
            try netlink.addAddress(CIDR("10.77.0.2/24")!, toInterface: near)
            try netlink.addAddress(CIDR("10.78.0.2/24")!, toInterface: far)
            try netlink.addRoute(to: CIDR("192.0.2.0/24")!, interface: near, metric: 10)
            try netlink.addRoute(to: CIDR("192.0.2.0/24")!, interface: far, metric: 20)
            #expect(try source(to: "192.0.2.9") == IPAddress("10.77.0.2"))
            try netlink.removeRoute(to: CIDR("192.0.2.0/24")!, interface: near, metric: 10)
            #expect(try source(to: "192.0.2.9") == IPAddress("10.78.0.2"))
        }
    }

    @Test func errorsSayWhatWasToBeDone() throws {
        try OwnNetwork.run {
            let netlink = try Netlink()
            do throws(HostError) {
                try netlink.setMTU(1400, ofInterface: 4711)
                Issue.record("changed nothing")
            } catch {
                #expect(error.notThere)
                #expect(error.description.hasPrefix("could not set the MTU of interface 4711 to 1400: "))
            }
        }
    }

    @Test func eventsTellOfLinksAndAddresses() throws {
        try OwnNetwork.run {
            let events = try NetlinkEvents()
            try followCable(events)
        }
    }

    /// (Not in the closure above, where it crashes the compiler: Swift 6.3's SendNonSendable pass.)
    private func followCable(_ events: consuming NetlinkEvents) throws {
        #expect(events.readEvents().isEmpty)
        let (near, far) = try cable()
        let netlink = try Netlink()
        let four = CIDR("10.77.0.2/24")!
        let six = CIDR("fd77::2/64")!
        try netlink.setUp(true, interface: near)
        try netlink.addAddress(four, toInterface: near)
        try netlink.addAddress(six, toInterface: near)
        var seen = collect(&events) { $0.contains(.addressAdded(index: near, six)) }
        #expect(seen.contains(.addressAdded(index: near, four)))
        #expect(links(seen, near).last?.isUp == true && links(seen, near).last?.hasCarrier == false)
        #expect(links(seen, far).first?.name == "far")

        try netlink.setUp(true, interface: far)
        seen = collect(&events) { links($0, near).last?.hasCarrier == true }
        #expect(links(seen, near).last?.hasCarrier == true)

        try netlink.removeAddress(four, fromInterface: near)
        seen = collect(&events) { $0.contains(.addressRemoved(index: near, four)) }
        #expect(seen.contains(.addressRemoved(index: near, four)))

        OwnNetwork.ip("link delete near")
        seen = collect(&events) { $0.contains(.linkDeleted(index: near, name: "near")) }
        #expect(seen.contains(.linkDeleted(index: near, name: "near")))
        #expect(seen.contains(.addressRemoved(index: near, six)))
    }

    @Test func aPortThatLeavesItsBridgeIsNotDeleted() throws {
        try OwnNetwork.run {
            let (near, _) = try cable()
            OwnNetwork.ip("link add br0 type bridge")
            OwnNetwork.ip("link set near master br0")
            var events = try NetlinkEvents()
            OwnNetwork.ip("link set near nomaster")
            OwnNetwork.ip("link delete br0")
            let seen = collect(&events) { $0.contains { if case .linkDeleted = $0 { true } else { false } } }
            #expect(!seen.contains(.linkDeleted(index: near, name: "near")))
        }
    }

    @Test func lostEventsAreSaid() throws {
        try OwnNetwork.run {
            var events = try NetlinkEvents()
            var small: Int32 = 2048
            setsockopt(events.fileDescriptor, SOL_SOCKET, SO_RCVBUF, &small, 4)
            for _ in 0..<8 {
                OwnNetwork.ip("link add near type veth peer name far")
                OwnNetwork.ip("link delete near")
            }
            #expect(events.readEvents().contains(.overflow))
            #expect(events.readEvents().isEmpty)
        }
    }

    private func links(_ events: [NetworkEvent], _ index: UInt32) -> [NetworkInterface] {
        events.compactMap { if case .link(let link) = $0, link.index == index { link } else { nil } }
    }

    /// The events until `enough` holds, for at most two seconds.
    private func collect(
        _ events: inout NetlinkEvents, until enough: ([NetworkEvent]) -> Bool
    ) -> [NetworkEvent] {
        var seen: [NetworkEvent] = []
        for _ in 0..<200 {
            seen += events.readEvents()
            if enough(seen) { break }
            var watched = pollfd(fd: events.fileDescriptor, events: Int16(POLLIN), revents: 0)
            poll(&watched, 1, 10)
        }
        return seen
    }

    /// The source address chosen by the kernel.
    private func source(to text: String) throws -> IPAddress? {
        let socket = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(socket) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = 9
        withUnsafeMutableBytes(of: &name.sin_addr) { IPAddress(text)!.write(to: $0) }
        return withUnsafeMutableBytes(of: &name) { bytes in
            let address = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            var length = socklen_t(bytes.count)
            guard connect(socket, address, length) == 0, getsockname(socket, address, &length) == 0 else {
                return nil
            }
            return IPAddress(.v4, bytes: UnsafeRawBufferPointer(bytes).dropping(4))
        }
    }
}
