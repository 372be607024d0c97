import Glibc
import Packet
import TestSupport
import Testing

@testable import Host

@Suite("Forwarding", .enabled(if: OwnNetwork.isPermitted, "needs root"))
struct ForwardingTests {
    /// All switches affected by forwarding.
    private var switches: [String] {
        ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv4/conf/all/accept_redirects"].map {
            "\($0) \(KernelParameter($0).value ?? "-")"
        }
            + ["ipv4", "ipv6"].flatMap { family in
                (["default"] + KernelParameter.interfaces(family)).map {
                    let path = "net/\(family)/conf/\($0)/forwarding"
                    return "\(path) \(KernelParameter(path).value ?? "-")"
                }
            } + [
                "net/ipv6/conf/eth0/accept_ra \(KernelParameter("net/ipv6/conf/eth0/accept_ra").value ?? "-")"
            ]
    }

    private func inHost(_ body: (TemporaryDirectory) throws -> Void) throws {
        try OwnNetwork.run {
            OwnNetwork.ip("link add eth0 type veth peer name eth1")
            OwnNetwork.ip("link set eth0 up")
            try KernelParameter("net/ipv4/conf/all/accept_redirects").set("0")
            try KernelParameter("net/ipv4/conf/eth1/forwarding").set("1")
            try body(TemporaryDirectory())
        }
    }

    @Test func isPutBack() throws {
        try inHost { directory in
            let before = switches
            #expect(KernelParameter("net/ipv6/conf/eth0/accept_ra").value == "1")
            var forwarding = Forwarding(directory: directory.path, interface: "bond0")
            #expect(forwarding.closed([.v4, .v6]) == [.v4, .v6])
            for _ in 0..<2 {
                try forwarding.enable([.v4, .v6], exits: ["eth0", "missing", "../../kernel"])
                #expect(Forwarding.isOn(.v4) && Forwarding.isOn(.v6))
                #expect(forwarding.closed([.v4, .v6]) == [.v4, .v6])
                #expect(KernelParameter("net/ipv6/conf/eth0/accept_ra").value == "2")
            }
            #expect(directory.mode(of: "bond0.forwarding") == 0o644)
            #expect(forwarding.restore() == [] && switches == before)
            #expect(directory.mode(of: "bond0.forwarding") == 0 && forwarding.restore() == [])
        }
    }

    /// Killed any number of times: the original values are restored.
    @Test func isPutBackAfterACrash() throws {
        try inHost { directory in
            let before = switches
            for _ in 0..<3 {
                var killed = Forwarding(directory: directory.path, interface: "bond0")
                try killed.enable([.v4, .v6], exits: ["eth0"])
            }
            var next = Forwarding(directory: directory.path, interface: "bond0")
            #expect(next.hasChanged && next.closed([.v4, .v6]) == [.v4, .v6] && switches != before)
            #expect(next.restore() == [] && switches == before)
        }
    }

    /// Nothing is changed if it is already on.
    @Test func onlyWhatHasToChangeIsChanged() throws {
        try inHost { directory in
            try KernelParameter("net/ipv4/ip_forward").set("1")
            try KernelParameter("net/ipv6/conf/all/forwarding").set("1")
            let before = switches
            var forwarding = Forwarding(directory: directory.path, interface: "bond0")
            #expect(forwarding.closed([.v4, .v6]) == [])
            try forwarding.enable([.v4, .v6], exits: ["eth0"])
            #expect(!forwarding.hasChanged && switches == before)
            #expect(forwarding.restore() == [] && switches == before)
        }
    }

    @Test func whatTheOperatorSetMeanwhileStays() throws {
        try inHost { directory in
            var forwarding = Forwarding(directory: directory.path, interface: "bond0")
            try forwarding.enable([.v4, .v6], exits: ["eth0"])
            try KernelParameter("net/ipv4/ip_forward").set("0")
            try KernelParameter("net/ipv6/conf/eth0/accept_ra").set("0")
            #expect(forwarding.restore() == [])
            #expect(!Forwarding.isOn(.v4) && !Forwarding.isOn(.v6))
            #expect(KernelParameter("net/ipv6/conf/eth0/accept_ra").value == "0")
        }
    }

    /// The kernel boots with values of its own, so values remembered before are useless.
    @Test func anotherStartOfTheMachineBeginsAnew() throws {
        try inHost { directory in
            directory.file("bond0.forwarding", "boot 1234\nnet/ipv4/ip_forward 0 1\n")
            try KernelParameter("net/ipv4/ip_forward").set("1")
            var forwarding = Forwarding(directory: directory.path, interface: "bond0")
            #expect(!forwarding.hasChanged && forwarding.restore() == [] && Forwarding.isOn(.v4))
        }
    }

    @Test func nothingIsChangedThatCannotBeRemembered() throws {
        try inHost { _ in
            let before = switches
            var forwarding = Forwarding(directory: "/proc/nowhere", interface: "bond0")
            #expect(throws: HostError.self) { try forwarding.enable([.v4, .v6], exits: ["eth0"]) }
            #expect(switches == before)
        }
    }

    @Test func tunnelsAreFoundByWhatTheyHaveLeft() throws {
        try inHost { directory in
            #expect(Forwarding.tunnels(in: directory.path).isEmpty)
            for interface in ["old", "bond0"] {
                var forwarding = Forwarding(directory: directory.path, interface: interface)
                try forwarding.enable([interface == "old" ? .v4 : .v6], exits: [])
            }
            directory.file("bond0.usage", "")
            #expect(Forwarding.tunnels(in: directory.path) == ["bond0", "old"])
            var old = Forwarding(directory: directory.path, interface: "old")
            #expect(old.restore().isEmpty && Forwarding.tunnels(in: directory.path) == ["bond0"])
        }
    }

    /// Interfaces with other hosts behind them, and settings in sysctl files.
    @Test func whatElseNeedsIt() throws {
        try OwnNetwork.run {
            let netlink = try Netlink()
            OwnNetwork.ip("link add eth0 type veth peer name eth1")
            OwnNetwork.ip("link set eth0 up")
            OwnNetwork.ip("tuntap add dev bond0 mode tun")
            OwnNetwork.ip("link set bond0 up")
            #expect(netlink.forwardingNeeds(besides: ["bond0"]).isEmpty)
            OwnNetwork.ip("tuntap add dev tailscale0 mode tun")
            #expect(netlink.forwardingNeeds(besides: ["bond0"]).isEmpty)
            OwnNetwork.ip("link set tailscale0 up")
            #expect(netlink.forwardingNeeds(besides: ["bond0"]) == ["the interface tailscale0 (tun)"])
        }
        let root = TemporaryDirectory()
        func value() -> String? { SystemParameters.value(of: "net.ipv4.ip_forward", root: root.path) }
        #expect(value() == nil)
        for directory in ["usr/lib/sysctl.d", "etc/sysctl.d"] {
            OwnNetwork.run("mkdir", "-p \(root.path)/\(directory)")
        }
        root.file("usr/lib/sysctl.d/50-a.conf", "# net.ipv4.ip_forward = 0\n-net/ipv4/ip_forward=1\n")
        #expect(value() == "1")
        root.file("etc/sysctl.d/90-b.conf", "net.ipv4.ip_forward = 0\n")
        #expect(value() == "0")
        // A file of the same name replaces the other.
        root.file("etc/sysctl.d/50-a.conf", "")
        root.file("etc/sysctl.d/90-b.conf", "net.ipv6.conf.all.forwarding = 1\n")
        #expect(value() == nil)
        root.file("etc/sysctl.conf", "net.ipv4.ip_forward  =  1\n")
        #expect(value() == "1")
    }
}
