import LinkModel
import Packet
import TestSupport
import Testing

@Suite struct IPAddressTests {
    /// RFC 5952 sections 1, 2 and 4: the text on the left has the canonical form on the right.
    @Test(arguments: [
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8:0:0:1::1", "2001:db8::1:0:0:1"),
        ("2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"),
        ("2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"),
        ("2001:db8:aaaa:bbbb:cccc:dddd::1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),
        ("0:0:0:0:0:0:0:0", "::"), ("0::1", "::1"), ("1::0", "1::"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("192.0.2.1", "192.0.2.1"),
    ])
    func canonicalText(_ text: String, _ canonical: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
    }

    @Test(arguments: [
        "", ".", ":", ":::", "1:::2", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8::", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "12345::", "g::", "+1::", "-1::", "1::+2",
        "::1.2.3", "::1.2.3.4.5", "::256.1.1.1", "1.2.3.4::", "::1.2.3.4:5", "fe80::1%eth0", "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256", "01.2.3.4", "1.2.3.04", "1.2.3.+4", "1.2.3.-4", "1..3.4", " 1.2.3.4", "1.2.3.4 ",
        "1.2.3.0x4",
        "[::1]", "١.٢.٣.٤",
    ])
    func refusesWhatIsNoAddress(_ text: String) { #expect(IPAddress(text) == nil) }

    @Test func textAndBytesRoundTrip() throws {
        var random = SeededGenerator(seed: 1)
        for round in 0..<20_000 {
            let address: IPAddress
            if round % 2 == 0 {
                address = IPAddress(v4: UInt32(truncatingIfNeeded: random.next()))
            } else {
                // Groups of zero often, so that the gap occurs at every position.
                var groups: [UInt64] = []
                for _ in 0..<8 { groups.append(random.chance(0.5) ? 0 : random.next() & 0xFFFF) }
                let high = groups[..<4].reduce(0) { $0 << 16 | $1 }
                address = IPAddress(v6High: high, low: groups[4...].reduce(0) { $0 << 16 | $1 })
            }
            #expect(IPAddress(address.description) == address, "seed 1, round \(round): \(address)")
            var bytes = [UInt8](repeating: 0, count: address.byteCount)
            bytes.withUnsafeMutableBytes { address.write(to: $0) }
            #expect(bytes.withUnsafeBytes { IPAddress(address.family, bytes: $0) } == address)
        }
    }

    @Test func prefixesMatchBitByBit() {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<2000 {
            let a = IPAddress(v6High: random.next(), low: random.next())
            let bit = random.below(128)
            let b =
                bit < 64
                ? IPAddress(v6High: a.high ^ 1 << UInt64(63 - bit), low: a.low)
                : IPAddress(v6High: a.high, low: a.low ^ 1 << UInt64(127 - bit))
            for prefix in [-1, 0, bit, bit + 1, 64, 65, 127, 128] {
                #expect(a.matches(b, prefix: prefix) == (prefix <= bit), "differ in \(bit), /\(prefix)")
            }
            let c = IPAddress(v4: UInt32(truncatingIfNeeded: random.next()))
            let place = random.below(32)
            let d = IPAddress(v4: UInt32(c.low) ^ 1 << UInt32(31 - place))
            for prefix in [0, place, place + 1, 32] {
                #expect(c.matches(d, prefix: prefix) == (prefix <= place))
            }
            #expect(!a.matches(c, prefix: 0))
        }
    }

    @Test func linkLocalAddresses() throws {
        for text in ["fe80::1", "febf::", "169.254.1.2"] {
            #expect(try #require(IPAddress(text)).isLinkLocal)
        }
        for text in ["fec0::1", "fe7f::", "169.253.1.2", "::"] {
            #expect(try #require(IPAddress(text)).isLinkLocal == false)
        }
    }

    @Test func endpointsReadAndPrint() throws {
        for text in ["203.0.113.7:5000", "[2001:db8::7]:65535", "0.0.0.0:0"] {
            #expect(try #require(Endpoint(text)).description == text)
        }
        for text in [
            "203.0.113.7", "203.0.113.7:", "203.0.113.7:65536", "203.0.113.7:+5", "203.0.113.7:-5",
            "2001:db8::7:50",
            "[203.0.113.7]:5", "[::1]", "::1]:5", "[::1:5", ":5", "",
        ] { #expect(Endpoint(text) == nil, "\(text)") }
    }
}
