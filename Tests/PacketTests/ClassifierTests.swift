import Packet
import Testing

@Suite struct ClassifierTests {
    private static func packet(
        _ transport: UInt8 = 17, from source: UInt16 = 1000, to destination: UInt16 = 2000, dscp: UInt8 = 0
    ) -> InnerPacket {
        let bytes: [UInt8] =
            [0x45, dscp << 2, 0, 28, 0, 0, 0, 0, 64, transport, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
            + [
                UInt8(source >> 8), UInt8(source & 255), UInt8(destination >> 8), UInt8(destination & 255), 0,
                8, 0, 0,
            ]
        return bytes.withUnsafeBytes { InnerPacket(parsing: $0)! }
    }

    private let classes = [
        ServiceClass(name: "calls", priority: 0, codepoints: 1 << 46),
        ServiceClass(
            name: "web", codepoints: 1 << 46 | 1 << 10,
            ports: [
                PortRange(transport: 6, low: 443, high: 443), PortRange(transport: 17, low: 3478, high: 3481),
            ]),
        ServiceClass(
            name: "backup", priority: 3, ports: [PortRange(transport: 17, low: 3000, high: 4000)],
            isMarkedHere: true),
    ]

    @Test func theFirstClassThatMatchesHasThePacket() {
        let classifier = Classifier(classes)
        func number(_ packet: InnerPacket) -> UInt8 { classifier.number(of: packet) }
        #expect(number(Self.packet()) == 0)
        #expect(number(Self.packet(dscp: 46)) == 1)
        #expect(number(Self.packet(dscp: 10)) == 2)
        #expect(number(Self.packet(6, to: 443)) == 2 && number(Self.packet(6, from: 443)) == 2)
        #expect(number(Self.packet(17, to: 443)) == 0, "TCP's port, not UDP's")
        #expect(number(Self.packet(to: 3478)) == 2 && number(Self.packet(to: 3481)) == 2)
        #expect(number(Self.packet(to: 3482)) == 3 && number(Self.packet(from: 3477)) == 3)
        #expect(number(Self.packet(to: 3478, dscp: 46)) == 1, "a class before it has the codepoint")
        #expect(number(Self.packet(to: 3000, dscp: 10)) == 2)
        #expect(number(Self.packet(1)) == 0, "no ports")
    }

    @Test func aMarkOfThisHostComesBeforeAllElse() {
        let classifier = Classifier(classes)
        let mark = ServiceClass.localCodepoint(2)
        func number(_ packet: InnerPacket) -> UInt8 { classifier.number(of: packet) }
        #expect(number(Self.packet(6, to: 443, dscp: mark)) == 3)
        // The class before it has no mark, so its codepoint means nothing.
        let marks = [mark, 46, ServiceClass.localCodepoint(1)].map { classifier.isMark($0) }
        #expect(marks == [true, false, false])
        #expect(number(Self.packet(dscp: ServiceClass.localCodepoint(1))) == 0)
        let foremost = (0...3).map { classifier.isForemost($0) }
        #expect(foremost == [false, true, false, false])
    }

    @Test func withoutClassesAllIsTheDefault() {
        let classifier = Classifier([])
        let (isTrivial, number) = (classifier.isTrivial, classifier.number(of: Self.packet(dscp: 46)))
        #expect(isTrivial && number == 0)
    }

    /// More than a table holds, as a peer might send.
    @Test func tooManyClassesAndRangesAreCut() {
        let ranges = (0..<40).map { PortRange(transport: 17, low: UInt16($0), high: UInt16($0)) }
        let many = (0..<20).map { ServiceClass(name: "c\($0)", codepoints: 2 << UInt64($0), ports: ranges) }
        let classifier = Classifier(many)
        let packets = [
            Self.packet(dscp: 8), Self.packet(dscp: 9), Self.packet(to: 31), Self.packet(to: 32),
        ]
        let numbers = packets.map { classifier.number(of: $0) }
        #expect(numbers == [8, 0, 1, 0])
    }

    /// The checksum of IPv4 stays right, and the ECN bits stay.
    @Test func aClearedCodepointLeavesTheRest() {
        var four: [UInt8] = [
            0x45, 0x1F, 0, 28, 1, 2, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 1, 0, 2, 0, 8, 0, 0,
        ]
        four.withUnsafeMutableBytes { packet in
            Checksum.finishIPv4(UnsafeMutableRawBufferPointer(rebasing: packet[..<20]))
            InnerPacket.clearCodepoint(in: packet)
            #expect(packet[1] == 3)
            #expect(Checksum.sum(UnsafeRawBufferPointer(rebasing: packet[..<20])) == 0xFFFF)
        }
        var six = [UInt8](repeating: 0xFF, count: 40)
        six[0] = 0x6F
        six.withUnsafeMutableBytes { InnerPacket.clearCodepoint(in: $0) }
        #expect(six[0] == 0x60 && six[1] == 0x3F && six[2] == 0xFF)
    }
}
