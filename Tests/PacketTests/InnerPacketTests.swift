import LinkModel
import Packet
import TestSupport
import Testing

@Suite struct InnerPacketTests {
    private static func v4(
        _ body: [UInt8], protocol number: UInt8 = 17, fragment: UInt16 = 0, dscp: UInt8 = 0
    ) -> [UInt8] {
        let total = UInt16(20 + body.count)
        return [
            0x45, dscp << 2, UInt8(total >> 8), UInt8(total & 255), 0, 0, UInt8(fragment >> 8),
            UInt8(fragment & 255),
        ]
            + [64, number, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2] + body
    }

    private static func v6(_ body: [UInt8], next: UInt8 = 17, dscp: UInt8 = 0) -> [UInt8] {
        [0x60 | dscp >> 2, dscp << 6, 0, 0, UInt8(body.count >> 8), UInt8(body.count & 255), next, 64]
            + [0xFD] + [UInt8](repeating: 0, count: 14) + [1, 0xFD] + [UInt8](repeating: 0, count: 14) + [2]
            + body
    }

    private static func parse(_ bytes: [UInt8]) -> InnerPacket? {
        bytes.withUnsafeBytes { InnerPacket(parsing: $0) }
    }

    @Test func readsBothFamilies() throws {
        let four = try #require(Self.parse(Self.v4([0, 1, 0, 2, 0, 8, 0, 0])))
        #expect(four.source == IPAddress("10.0.0.1") && four.destination == IPAddress("10.0.0.2"))
        #expect(four.length == 28 && four.trafficClass == .bulk)
        let six = try #require(Self.parse(Self.v6([0, 1, 0, 2, 0, 8, 0, 0])))
        #expect(six.source == IPAddress("fd00::1") && six.destination == IPAddress("fd00::2"))
        #expect(six.length == 48 && six.trafficClass == .bulk)
    }

    @Test func expeditedForwardingIsRealtime() throws {
        for dscp in UInt8(0)..<64 {
            let expected = dscp == 46 ? TrafficClass.realtime : .bulk
            #expect(Self.parse(Self.v4([0, 1, 0, 2], dscp: dscp))?.trafficClass == expected)
            #expect(Self.parse(Self.v6([0, 1, 0, 2], dscp: dscp))?.trafficClass == expected)
        }
    }

    @Test(
        arguments: [(0, TrafficClass.bulk), (1, .scalable), (2, .bulk), (3, .bulk)] as [(UInt8, TrafficClass)]
    )
    func ectOneIsScalable(_ ecn: UInt8, _ expected: TrafficClass) throws {
        var four = Self.v4([0, 1, 0, 2])
        four[1] = ecn
        var six = Self.v6([0, 1, 0, 2])
        six[1] = six[1] & 0xCF | ecn << 4
        #expect(Self.parse(four)?.trafficClass == expected)
        #expect(Self.parse(six)?.trafficClass == expected)
        four[1] = 46 << 2 | ecn
        #expect(Self.parse(four)?.trafficClass == .realtime)
    }

    private static let key = FlowKey((1 << 63 | 7, 0x9E37_79B9_7F4A_7C15, 3, 0xBF58_476D_1CE4_E5B9, 11))

    @Test func portsMakeFlowsWhereThereArePorts() throws {
        for (number, ports) in [
            (6, true), (17, true), (33, true), (132, true), (136, true), (1, false), (50, false),
        ] {
            for make in [{ Self.v4($0, protocol: UInt8(number)) }, { Self.v6($0, next: UInt8(number)) }] {
                let a = try #require(Self.parse(make([0, 1, 0, 2, 9, 9])))
                let b = try #require(Self.parse(make([0, 1, 0, 3, 9, 9])))
                let c = try #require(Self.parse(make([0, 1, 0, 2, 7, 7])))
                #expect((a.flow(Self.key) != b.flow(Self.key)) == ports, "protocol \(number)")
                #expect(a.flow(Self.key) == c.flow(Self.key), "protocol \(number)")
            }
        }
    }

    /// Flows that share a bucket under one key are spread by another, so that nobody can choose them.
    @Test func anotherKeyMakesOtherCollisions() throws {
        let other = FlowKey((5, 77, 0xC2B2_AE3D_27D4_EB4F, 1 << 40, 0x1656_67B1_9E37_79F9))
        var collisions = (same: 0, other: 0)
        let victim = try #require(Self.parse(Self.v4([0, 1, 0, 2])))
        for port in 0..<60_000 as Range<UInt16> {
            let packet = Self.v4([UInt8(port >> 8), UInt8(port & 255), 0, 3])
            let flow = try #require(Self.parse(packet))
            guard flow.flow(Self.key) & 1023 == victim.flow(Self.key) & 1023 else { continue }
            collisions.same += 1
            if flow.flow(other) & 1023 == victim.flow(other) & 1023 { collisions.other += 1 }
        }
        #expect((20...120).contains(collisions.same), "\(collisions)")
        #expect(collisions.other <= 3, "\(collisions)")
    }

    @Test func allFragmentsOfAPacketAreOneFlow() throws {
        let first = try #require(Self.parse(Self.v4([0, 1, 0, 2], fragment: 0x2000)))
        let second = try #require(Self.parse(Self.v4([7, 7, 7, 7], fragment: 0x2001)))
        let last = try #require(Self.parse(Self.v4([8, 8, 8, 8], fragment: 0x0002)))
        #expect(first.flow(Self.key) == second.flow(Self.key) && second.flow(Self.key) == last.flow(Self.key))
        // "Don't fragment" does not make a fragment.
        let whole = try #require(Self.parse(Self.v4([0, 1, 0, 2], fragment: 0x4000)))
        #expect(
            whole.flow(Self.key) == Self.parse(Self.v4([0, 1, 0, 2]))?.flow(Self.key)
                && whole.flow(Self.key) != first.flow(Self.key))
    }

    @Test func paddingIsNotPartOfThePacket() throws {
        #expect(try #require(Self.parse(Self.v4([0, 1, 0, 2]) + [0, 0, 0])).length == 24)
        #expect(try #require(Self.parse(Self.v6([0, 1, 0, 2]) + [0, 0, 0])).length == 44)
    }

    @Test func everyTruncationIsRefused() {
        for whole in [Self.v4([0, 1, 0, 2, 3]), Self.v6([0, 1, 0, 2, 3])] {
            for count in 0..<whole.count { #expect(Self.parse([UInt8](whole[..<count])) == nil) }
            #expect(Self.parse(whole) != nil)
        }
    }

    /// Whatever the bytes are: no trap, and accepted packets are within the buffer.
    @Test func anyBytesAreParsedOrRefused() {
        var random = SeededGenerator(seed: 3)
        var accepted = 0
        for round in 0..<100_000 {
            var bytes = [UInt8](repeating: 0, count: random.below(80))
            for i in bytes.indices { bytes[i] = UInt8(truncatingIfNeeded: random.next()) }
            if !bytes.isEmpty && random.chance(0.8) { bytes[0] = [0x45, 0x60, 0x4F, 0x46][random.below(4)] }
            if bytes.count > 5 && random.chance(0.8) { (bytes[2], bytes[4]) = (0, 0) }
            guard let packet = Self.parse(bytes) else { continue }
            accepted += 1
            #expect(packet.length <= bytes.count && packet.length >= 20, "seed 3, round \(round)")
        }
        #expect(accepted > 1000)
    }
}
