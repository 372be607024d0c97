import LinkModel
import Packet
import Testing

@testable import Rules

@Suite struct ProxyHeaderTests {
    private func bytes(_ header: ProxyHeader) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xEE, count: ProxyHeader.maximumSize + 8)
        let size = bytes.withUnsafeMutableBytes {
            header.write(to: UnsafeMutableRawBufferPointer(rebasing: $0.prefix(ProxyHeader.maximumSize)))
        }
        #expect(bytes[size...].allSatisfy { $0 == 0xEE }, "nothing behind its end")
        return Array(bytes.prefix(size))
    }

    private func bytes(_ version: ProxyVersion, _ source: String, _ destination: String) -> [UInt8] {
        bytes(ProxyHeader(version, source: Endpoint(source)!, destination: Endpoint(destination)!))
    }

    @Test func linesAreAsInTheSpecification() {
        #expect(
            bytes(.v1, "255.255.255.255:65535", "192.0.2.1:443")
                == Array("PROXY TCP4 255.255.255.255 192.0.2.1 65535 443\r\n".utf8))
        #expect(
            bytes(.v1, "[2001:db8::7]:1", "[fd00::1]:443")
                == Array("PROXY TCP6 2001:db8::7 fd00::1 1 443\r\n".utf8))
        #expect(bytes(ProxyHeader(probe: .v1)) == Array("PROXY UNKNOWN\r\n".utf8))
    }

    @Test func binaryIsAsInTheSpecification() {
        let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
        #expect(
            bytes(.v2, "192.0.2.7:258", "10.0.0.1:443")
                == signature + [0x21, 0x11, 0, 12, 192, 0, 2, 7, 10, 0, 0, 1, 1, 2, 1, 187])
        #expect(bytes(.v2, "[::1]:258", "[fd00::1]:443").count == 16 + 36)
        #expect(bytes(ProxyHeader(probe: .v2)) == signature + [0x20, 0, 0, 0])
    }

    @Test func mappedAddressesAreToldAsIPv4AndMixedOnesAsIPv6() {
        for version in [ProxyVersion.v1, .v2] {
            #expect(
                bytes(version, "[::ffff:192.0.2.7]:9", "[::ffff:10.0.0.1]:8")
                    == bytes(version, "192.0.2.7:9", "10.0.0.1:8"))
            #expect(
                ProxyHeaderReader.read(bytes(version, "192.0.2.7:9", "[fd00::1]:8"))
                    == .ends(
                        source: Endpoint("[::ffff:192.0.2.7]:9")!, destination: Endpoint("[fd00::1]:8")!,
                        size: version == .v1 ? 40 : 52))
        }
    }

    @Test(arguments: [UInt64(31), 32, 33])
    func readersUnderstandEveryHeader(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var longest = 0
        for round in 0..<10_000 {
            let isV4 = Bool.random(using: &random)
            let ends = (0..<2).map { _ in
                // Zeros and ones make the shortest and the longest texts.
                let (high, low) = (
                    [0, UInt64.max, random.next()].randomElement(using: &random)!, random.next()
                )
                return Endpoint(
                    address: isV4
                        ? IPAddress(v4: UInt32(truncatingIfNeeded: low))
                        : IPAddress(v6High: high, low: low | 1 << 48),
                    port: UInt16.random(in: 0...65535, using: &random))
            }
            let version: ProxyVersion = Bool.random(using: &random) ? .v1 : .v2
            let header = bytes(ProxyHeader(version, source: ends[0], destination: ends[1]))
            longest = max(longest, header.count)
            let more = (0..<Int.random(in: 0...9, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            try #require(
                ProxyHeaderReader.read(header + more)
                    == .ends(source: ends[0], destination: ends[1], size: header.count),
                "seed \(seed), round \(round): \(header)")
            for length in 0..<header.count where round % 100 == 0 {
                try #require(ProxyHeaderReader.read(Array(header.prefix(length))) == .invalid)
            }
        }
        #expect(longest <= ProxyHeader.maximumSize)
    }

    @Test func theLongestLineFits() {
        let end = "[\(Array(repeating: "ffff", count: 8).joined(separator: ":"))]:65535"
        #expect(
            bytes(.v1, end, end).count == 104,
            "the specification's 107 counts a NUL, and an UNKNOWN that says more")
    }
}
