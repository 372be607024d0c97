import Packet
import Testing

@testable import Proto

@Suite struct ShapingFrameTests {
    private static let frame = ShapingFrame(
        revision: 7, rate: 0x0102_0304,
        classes: [
            ServiceClass(
                name: "call", priority: 0, share: 20, ceiling: 0x1112_1314, codepoints: 1 << 46,
                ports: [PortRange(transport: 17, low: 0x0D96, high: 0x0D99)]),
            ServiceClass(name: "b", priority: 3, share: 0),
        ])
    private static let bytes = hex(
        "18 0030"  // type, length 48
            + "07 01020304 02"  // revision, rate, count
            + "04 63616c6c 00 14 11121314 0000400000000000 01 11 0d96 0d99"
            + "01 62 03 00 00000000 0000000000000000 00")

    private func read(_ bytes: [UInt8]) -> (frame: Frame?, wish: ShapingFrame?, isAcknowledgement: Bool) {
        let buffer = Buffer(bytes)
        var reader = FrameReader(buffer.read)
        let frame = reader.next()
        return (frame, reader.shaping, reader.isAcknowledgement)
    }

    @Test func golden() {
        let buffer = Buffer()
        var writer = FrameWriter(buffer.bytes)
        let fits = writer.append(Self.frame)
        #expect(fits && buffer.first(writer.count) == Self.bytes)
        let (frame, wish, isAcknowledgement) = read(Self.bytes)
        #expect(frame == .shaping(7) && wish == Self.frame && !isAcknowledgement)
    }

    @Test func anAcknowledgementIsTheRevisionAlone() {
        let buffer = Buffer()
        var writer = FrameWriter(buffer.bytes)
        let fits = writer.append(shapingTaken: 9)
        #expect(fits && buffer.first(writer.count) == [24, 0, 1, 9])
        let (frame, wish, isAcknowledgement) = read([24, 0, 1, 9])
        #expect(frame == .shaping(9) && wish == nil && isAcknowledgement)
        #expect(read([24, 0, 0]).frame == nil)
    }

    /// Every truncation, and every other value of every byte, is read without a trap, and never as too much.
    @Test func nonsenseIsNoWish() {
        for length in 1..<Self.bytes.count - 3 {
            let cut = [24, UInt8(length >> 8), UInt8(length & 255)] + Self.bytes[3..<3 + length]
            #expect(read(cut).wish == nil)
        }
        for index in 3..<Self.bytes.count {
            for value in UInt8.min...UInt8.max {
                var bytes = Self.bytes
                bytes[index] = value
                if let wish = read(bytes).wish { #expect(ShapingFrame.areGood(wish.classes)) }
            }
        }
    }

    @Test func whatExceedsTheFormatIsNotWritten() {
        let ports = [PortRange](repeating: PortRange(transport: 17, low: 1, high: 2), count: 17)
        let bad: [[ServiceClass]] = [
            (0..<9).map { ServiceClass(name: "c\($0)") },
            [ServiceClass(name: "a name that is too long")], [ServiceClass(name: "no good")],
            [ServiceClass(name: "a", share: 60), ServiceClass(name: "b", share: 41)],
            [ServiceClass(name: "a", ports: ports), ServiceClass(name: "b", ports: ports)],
            [ServiceClass(name: "a", priority: 4)],
            [ServiceClass(name: "a", ports: [PortRange(transport: 6, low: 2, high: 1)])],
        ]
        for classes in bad {
            let buffer = Buffer()
            var writer = FrameWriter(buffer.bytes)
            let fits = writer.append(ShapingFrame(revision: 1, classes: classes))
            #expect(!fits && writer.count == 0, "\(classes)")
        }
        let full = ShapingFrame(
            revision: 1,
            classes: (0..<8).map {
                ServiceClass(name: "fifteen-bytes-\($0)", ports: Array(ports.prefix(4)))
            })
        // With the mode and a few paths it fits the smallest path's datagram.
        #expect((full.bodySize ?? .max) <= 450)
    }
}
