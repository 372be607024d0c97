import Glibc
import Packet
import Settings
import TestSupport
import Testing

@testable import Host

@Suite("Services in the kernel", .enabled(if: OwnNetwork.isPermitted, "needs root"))
struct ServiceTests {
    private let table = FirewallTable.services(interface: "bond0", opened: [])

    private func service(
        _ name: String, _ ports: ClosedRange<UInt16>, _ target: String = "10.77.0.2", to port: UInt16 = 80,
        _ transport: TransportProtocol = .tcp, accepts: Bool = true
    ) -> KernelService {
        KernelService(
            name: name, transport: transport, ports: ports, target: IPAddress(target)!, targetPort: port,
            accepts: accepts)
    }

    private var ruleset: String { OwnNetwork.output("nft list ruleset") }

    /// The elements of the sets, as listed by the kernel.
    private func elements(_ socket: borrowing FirewallSocket) throws -> FirewallElements {
        var found: FirewallElements = [:]
        for set in table.sets {
            try socket.elements(of: set.name, table: table.name) {
                found[set.name, default: [:]][$0.key] = $0.data
            }
        }
        return found
    }

    // MARK: The table

    @Test func nftReadsItAsItIsMeant() throws {
        try OwnNetwork.run {
            let socket = try FirewallSocket()
            let services = [
                service("web", 8080...8080), service("game", 7000...7001, "fd77::2", to: 70, .udp),
                service("old", 8080...8080, "10.77.0.3", accepts: false),
            ]
            try socket.replace(.services(interface: "bond0", opened: [.v4]), of: services)
            let text = ruleset
            for line in [
                "type inet_proto . inet_service : ipv4_addr . inet_service",
                "elements = { tcp . 8080 : 10.77.0.2 . 80 }",
                "elements = { udp . 7000 : fd77::2 . 70,",
                "udp . 7001 : fd77::2 . 71 }",
                "elements = { tcp . 8080 . 10.77.0.2 . 80 counter packets 0 bytes 0,",
                "tcp . 8080 . 10.77.0.3 . 80 counter packets 0 bytes 0 }",
                "meta nfproto ipv4 fib daddr type local tcp flags syn / syn,rst dnat ip to meta l4proto . tcp dport map @to4",
                "fib daddr type local ip6 daddr != fe80::/10 tcp flags syn / syn,rst dnat ip6 to meta l4proto . tcp dport map @to6",
                "iifname \"bond0\" oifname \"bond0\" ct status dnat ip saddr . ip daddr @self4 masquerade",
                "ct protocol . ct original proto-dst . ct reply ip saddr . ct reply proto-src @in4 accept",
                "th sport . ip6 daddr . th dport @ended6 meta l4proto udp drop",
                "meta nfproto ipv4 oifname \"bond0\" counter packets 0 bytes 0 drop comment \"bondd: no way in\"",
            ] {
                #expect(text.contains(line), "\(line) is not in \(text)")
            }
            for map in ["map @to4", "map @to6"] {
                let count = text.split(separator: "\n").filter { $0.contains(map) }.count
                #expect(count == 2, "TCP and UDP: \(text)")
            }
            #expect(!text.contains("meta nfproto ipv6 oifname"))
            #expect(try elements(socket) == FirewallTable.elements(of: services))
            let holds = socket.holds(.services(interface: "bond0", opened: [.v4]), of: services)
            #expect(holds)
        }
    }

    /// Any list of services results from any other by a change that leaves the rest of the firewall alone.
    @Test func changesAreWhatAnewWouldBe() throws {
        try OwnNetwork.run {
            OwnNetwork.run("nft", "add table inet others")
            let others = ruleset
            let socket = try FirewallSocket()
            var generator = Generator(seed: 7)
            var old: [KernelService] = []
            try socket.replace(table, of: old)
            for _ in 0..<50 {
                let count = Int.random(in: 0...20, using: &generator)
                let new = (0..<count).map { number in
                    let first = UInt16.random(in: 1...40, using: &generator) * 100 + UInt16(number)
                    return service(
                        "\(number)", first...first + UInt16.random(in: 0...2, using: &generator) * 30,
                        Bool.random(using: &generator) ? "10.77.0.\(number % 3 + 2)" : "fd77::2",
                        Bool.random(using: &generator) ? .tcp : .udp, accepts: number % 3 != 0)
                }
                try socket.change(table, from: old, to: new, replacingRules: Bool.random(using: &generator))
                #expect(try elements(socket) == FirewallTable.elements(of: new))
                let holds = socket.holds(table, of: new)
                #expect(holds)
                old = new
            }
            #expect(try socket.remove(table: table.name))
            #expect(ruleset == others)
        }
    }

    /// Another program changed the table: nothing is changed, and it is detected.
    @Test func aTableThatOthersChangedIsSeen() throws {
        try OwnNetwork.run {
            let socket = try FirewallSocket()
            let services = [service("web", 8080...8080), service("mail", 25...25)]
            try socket.replace(table, of: services)
            OwnNetwork.run("nft", "flush map inet bondd_services to4")
            let isWhole = socket.holds(table, of: services)
            #expect(!isWhole)
            #expect(throws: HostError.self) {
                try socket.change(
                    table, from: services, to: [service("web", 8080...8080)], replacingRules: false)
            }
            OwnNetwork.run("nft", "flush ruleset")
            let isThere = socket.holds(table, of: services)
            #expect(!isThere)
            #expect(throws: HostError.self) {
                try socket.change(table, from: services, to: [], replacingRules: false)
            }
        }
    }

    @Test func aThousandServicesTakeNoTime() throws {
        try OwnNetwork.run {
            let socket = try FirewallSocket()
            let services = (0..<1000).map { service("\($0)", UInt16(10_000 + $0)...UInt16(10_000 + $0)) }
            let all = try milliseconds { try socket.replace(table, of: services) }
            let one = try milliseconds {
                try socket.change(
                    table, from: services, to: Array(services.dropLast()), replacingRules: false)
            }
            let range = (0..<16).map { number in
                let first = UInt16(4000 + number * 1024)
                return service("\(number)", first...first + 1023)
            }
            let many = try milliseconds { try socket.replace(table, of: range) }
            print(
                "measured: 1,000 services \(all) ms, one less \(one) ms, 16 ranges of 1,024 ports \(many) ms")
            #expect(all < 1000 && one < 1000)
            // While the kernel resizes a set of this size, a listing may omit some.
            let wanted = FirewallTable.elements(of: range)
            for _ in 0..<50 {
                if try elements(socket) == wanted { break }
                usleep(20_000)
            }
            #expect(try elements(socket) == wanted)
            let isThere = socket.holds(table, of: range)
            #expect(isThere)
        }
    }

    private func milliseconds(_ body: () throws -> Void) rethrows -> Int {
        var (before, after) = (timespec(), timespec())
        clock_gettime(CLOCK_MONOTONIC, &before)
        try body()
        clock_gettime(CLOCK_MONOTONIC, &after)
        return (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1_000_000
    }
}

/// Repeatable random numbers (SplitMix64).
struct Generator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
