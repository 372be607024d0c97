import Glibc
import Packet
import Runtime
import Settings
import Testing

@testable import Host

/// DNS queries and answers; prefixes that translate to IPv4; where names are queried.
@Suite struct NameQuestionTests {
    private let question = NameQuestion("vpn.example.org", .ipv4, id: 0xBEEF)!

    /// An answer with these bytes after the question.
    private func response(
        _ flags: (UInt8, UInt8) = (0x81, 0x80), records: UInt8, _ rest: [UInt8] = [],
        change: (inout [UInt8]) -> Void = { _ in }
    ) -> NameQuestion.Answer? {
        var bytes = question.datagram
        (bytes[2], bytes[3], bytes[7]) = (flags.0, flags.1, records)
        bytes += rest
        change(&bytes)
        return bytes.withUnsafeBytes { question.answer(in: $0) }
    }

    /// A record whose name is a pointer to the question's.
    private func record(_ type: UInt8, _ data: [UInt8]) -> [UInt8] {
        [0xC0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, UInt8(data.count)] + data
    }

    @Test func theQuestionIsWhatTheStandardSays() {
        #expect(
            question.datagram == [0xBE, 0xEF, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
                + [3] + Array("vpn".utf8) + [7] + Array("example".utf8) + [3] + Array("org".utf8)
                + [0, 0, 1, 0, 1])
        for name in [
            "", ".", "a..b", "a.", String(repeating: "a", count: 64), String(repeating: "a.", count: 150),
        ] {
            #expect(NameQuestion(name, .ipv6, id: 1) == nil, "\(name)")
        }
    }

    /// After an alias and other records, whatever the case of the name.
    @Test func addressesAreFound() {
        let alias = record(5, [3] + Array("gw1".utf8) + [0xC0, 16])
        let rest =
            alias + record(1, [203, 0, 113, 7]) + record(28, [UInt8](repeating: 1, count: 16))
            + [2, 0x67, 0x77, 0xC0, 16, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 203, 0, 113, 8]
        let found = NameQuestion.Answer.addresses([IPAddress("203.0.113.7")!, IPAddress("203.0.113.8")!])
        #expect(response(records: 4, rest) == found)
        #expect(response(records: 4, rest) { $0[13] = UInt8(ascii: "V") } == found)
    }

    @Test func noNameIsAnAnswerAndARefusalIsNone() {
        #expect(response((0x81, 0x83), records: 0) == .addresses([]))
        #expect(response(records: 0) == .addresses([]))
        #expect(response((0x81, 0x85), records: 0) == .failure(code: 5))
        #expect(response((0x83, 0x80), records: 1) == .failure(code: 0))
    }

    @Test func strangersAnswersAreNone() {
        let good = record(1, [203, 0, 113, 7])
        #expect(response(records: 1, good) { $0[0] ^= 1 } == nil)
        #expect(response(records: 1, good) { $0[14] ^= 1 } == nil)
        #expect(response((0x01, 0x80), records: 1, good) == nil)
        #expect(response(records: 1, good) { $0[5] = 2 } == nil)
    }

    /// Truncated or changed anywhere: no trap, and at most 16 addresses.
    @Test func damagedAnswersDoNoHarm() {
        var random = SystemRandomNumberGenerator()
        let good = (0..<60).flatMap { record(1, [10, 0, 0, UInt8($0)]) }
        for _ in 0..<20_000 {
            let answer = response(records: 60, good) { bytes in
                for _ in 0..<Int.random(in: 0...8, using: &random) {
                    bytes[Int.random(in: 6..<bytes.count, using: &random)] = UInt8.random(
                        in: 0...255, using: &random)
                }
                bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            }
            if case .addresses(let addresses)? = answer { #expect(addresses.count <= 16) }
        }
    }

    /// The table of RFC 6052 section 2.4.
    @Test(arguments: [
        ("2001:db8::", 32, "2001:db8:c000:221::"), ("2001:db8:100::", 40, "2001:db8:1c0:2:21::"),
        ("2001:db8:122::", 48, "2001:db8:122:c000:2:2100::"),
        ("2001:db8:122:300::", 56, "2001:db8:122:3c0:0:221::"),
        ("2001:db8:122:344::", 64, "2001:db8:122:344:c0:2:2100::"),
        ("2001:db8:122:344::", 96, "2001:db8:122:344::192.0.2.33"),
    ])
    func prefixesTranslateAsTheStandardSays(_ prefix: String, _ length: Int, _ whole: String) throws {
        let translator = try #require(NAT64(prefix: IPAddress(prefix)!, length: length))
        #expect(translator.address(for: IPAddress("192.0.2.33")!) == IPAddress(whole)!)
        // RFC 7050: the same prefix follows from the name server's answer for ipv4only.arpa.
        let probe = try #require(translator.address(for: IPAddress("192.0.0.171")!))
        #expect(NAT64(probing: [probe]) == translator)
    }

    @Test func whatIsNoPrefixIsNone() {
        #expect(NAT64(prefix: IPAddress("192.0.2.1")!, length: 96) == nil)
        #expect(NAT64(prefix: IPAddress("2001:db8::")!, length: 33) == nil)
        #expect(NAT64(probing: [IPAddress("2001:db8::1")!, IPAddress("192.0.0.170")!]) == nil)
        #expect(NAT64.wellKnown.address(for: IPAddress("203.0.113.7")!) == IPAddress("64:ff9b::cb00:7107")!)
        #expect(NAT64.wellKnown.address(for: IPAddress("::1")!) == nil)
    }

    /// A link's own servers come first, then those in the file before bondd replaced it.
    @Test func theHostsNameServersAreFound() throws {
        let root = "/tmp/bondd-names-\(getpid())"
        for directory in [
            "", "/etc", "/run", "/run/systemd", "/run/systemd/resolve", "/run/systemd/netif",
            "/run/systemd/netif/links", "/state",
        ] {
            mkdir(root + directory, 0o755)
        }
        defer { for file in files(root) { unlink(root + file) } }
        func write(_ file: String, _ text: String) throws {
            try StateFile.replace(root + file, with: Array(text.utf8))
        }
        let servers = HostNameServers(interface: "bond0", directory: "\(root)/state", root: root)
        #expect(servers.servers(by: 7).isEmpty)
        try write(
            "/etc/resolv.conf", "# a comment\nnameserver 192.0.2.53\nnameserver\tfe80::1%eth0\nnameserver x\n"
        )
        #expect(servers.servers(by: 7) == ["192.0.2.53", "fe80::1"].map { IPAddress($0)! })
        // The file contains bondd's own: the kept original counts.
        let ours = "nameserver 10.77.0.1\n"
        try write("/etc/resolv.conf", ours)
        try write(
            "/state/bond0.resolv.conf", "\(ours.utf8.count)\n\(ours)file 420\nnameserver 198.51.100.53\n")
        #expect(servers.servers(by: 7) == [IPAddress("198.51.100.53")!])
        try write(
            "/state/bond0.resolv.conf", "\(ours.utf8.count)\n\(ours)link ../run/systemd/resolve/resolv.conf\n"
        )
        try write("/run/systemd/resolve/resolv.conf", "nameserver 203.0.113.53\n")
        try write("/run/systemd/netif/links/7", "ADMIN_STATE=configured\nDNS=192.168.1.1 2001:db8::53\n")
        let way = NameWay(
            interface: "up0", index: 7, servers: servers.servers(by: 7) + [IPAddress("127.0.0.53")!])
        #expect(way.servers == ["192.168.1.1", "2001:db8::53", "203.0.113.53"].map { IPAddress($0)! })
        #expect(servers.servers(by: 8) == [IPAddress("203.0.113.53")!, IPAddress("203.0.113.53")!])
    }

    private func files(_ root: String) -> [String] {
        [
            "/etc/resolv.conf", "/state/bond0.resolv.conf", "/run/systemd/resolve/resolv.conf",
            "/run/systemd/netif/links/7",
        ]
    }
}
