import Lab
import LinkModel
import Packet
import Testing

@testable import Tun

@Suite struct SegmentationTests {
    /// Every kind of packet that is segmented, at sizes around the edges.
    static var samples: [(PlainPacket, Int)] {
        var random = SeededGenerator(seed: 42)
        var samples: [(PlainPacket, Int)] = []
        for isIPv4 in [true, false] {
            for isTCP in [true, false] {
                for (length, size) in [
                    (1, 1), (2, 1), (1348, 1348), (1349, 1348), (2697, 1348), (64000, 1336), (999, 100),
                ] {
                    let payload = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
                    var packet = PlainPacket(isIPv4: isIPv4, isTCP: isTCP, payload: payload)
                    // ECE and CWR, PSH and FIN vary.
                    packet.flags = 0x10 | [0, 0x08, 0x09, 0xC0, 0x48][length % 5]
                    samples.append((packet, size))
                }
            }
        }
        return samples
    }

    @Test func cuttingGivesWhatTheKernelWouldSend() throws {
        for (packet, size) in Self.samples {
            var (header, bytes) = packet.whole(segmentSize: size)
            let cut = try #require(Self.cut(header, &bytes))
            #expect(cut.isPartial)
            #expect(cut.packets.map { Self.completed($0) } == packet.segments(of: size))
        }
    }

    @Test func headersThatHideTheTransportGetFullChecksums() throws {
        var random = SeededGenerator(seed: 7)
        let payload = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) }
        var packet = PlainPacket(isIPv4: false, payload: payload)
        packet.ipOptions = [6, 0, 1, 4, 0, 0, 0, 0]  // destination options: padding
        var (header, bytes) = packet.whole(segmentSize: 1200)
        let cut = try #require(Self.cut(header, &bytes))
        #expect(!cut.isPartial)
        #expect(cut.packets == packet.segments(of: 1200))
        // IPv4 options are inside a header with a length field: nothing is hidden.
        packet = PlainPacket(payload: payload)
        packet.ipOptions = [1, 1, 1, 0]
        (header, bytes) = packet.whole(segmentSize: 1200)
        let plain = try #require(Self.cut(header, &bytes))
        #expect(plain.isPartial)
        #expect(plain.packets.map { Self.completed($0) } == packet.segments(of: 1200))
    }

    @Test func joiningUndoesCutting() throws {
        for (packet, size) in Self.samples {
            // CWR is only in the first segment, which then is sent alone.
            if packet.isTCP && packet.flags & 0x80 != 0 { continue }
            var (header, bytes) = packet.whole(segmentSize: size)
            let original = bytes
            let cut = try #require(Self.cut(header, &bytes))
            let (written, runs) = Self.join(cut.packets, partial: true)
            // Kernels before 6.9 accept at most 64 UDP segments.
            let largest = packet.isTCP ? SegmentJoiner.maximumCount : 64
            let isOnePiece = cut.packets.count <= largest
            #expect(runs == (cut.packets.count + largest - 1) / largest)
            if isOnePiece { #expect(written == [original]) }
        }
    }

    @Test func strangersAreNotJoined() {
        let base = PlainPacket(payload: [UInt8](repeating: 1, count: 100))
        let first = base.bytes(0..<50, flags: 0x10, index: 0, isPartial: true)
        let second = base.bytes(50..<100, flags: 0x10, index: 1, isPartial: true)
        #expect(Self.join([first, second], partial: true).runs == 1)
        #expect(Self.join([first, second], partial: false).runs == 2, "full checksums are not vouched for")
        // Every byte of the second's headers counts, except the checksums and the lengths derived from others.
        for byte in 0..<52 where ![2, 3, 10, 11, 33, 36, 37].contains(byte) {
            var changed = second
            changed[byte] ^= byte == 0 ? 1 : 0x10
            #expect(Self.join([first, changed], partial: true).runs == 2, "byte \(byte)")
        }
        for flags: UInt8 in [0x11, 0x18, 0x12, 0x14, 0x30, 0x90] {
            let marked = base.bytes(0..<50, flags: flags, index: 0, isPartial: true)
            #expect(Self.join([marked, second], partial: true).runs == 2, "flags \(flags) end a run")
        }
        // A larger one never follows a smaller one.
        let small = base.bytes(0..<40, flags: 0x10, index: 0, isPartial: true)
        let large = base.bytes(40..<100, flags: 0x10, index: 1, isPartial: true)
        #expect(Self.join([small, large], partial: true).runs == 2)
    }

    @Test func nonsenseFromTheKernelNeverTraps() {
        var random = SeededGenerator(seed: 99)
        var accepted = 0
        for _ in 0..<50_000 {
            var packet = PlainPacket(
                isIPv4: Bool.random(using: &random), isTCP: Bool.random(using: &random),
                payload: [UInt8](repeating: 3, count: Int.random(in: 0...3000, using: &random)))
            packet.flags = UInt8.random(in: 0...255, using: &random)
            var (header, bytes) = packet.whole(segmentSize: 500)
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                bytes[Int.random(in: 0..<min(60, bytes.count), using: &random)] = .random(
                    in: 0...255, using: &random)
            }
            bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
            if Bool.random(using: &random) { header.checksumStart = .random(in: 0...200, using: &random) }
            if Bool.random(using: &random) { header.checksumOffset = .random(in: 0...40, using: &random) }
            if Bool.random(using: &random) { header.segmentSize = .random(in: 0...3000, using: &random) }
            if let cut = Self.cut(header, &bytes) {
                accepted += 1
                _ = Self.join(cut.packets, partial: true)
            }
        }
        #expect(accepted > 1000)
    }

    // MARK: -

    static func cut(_ header: OffloadHeader, _ bytes: inout [UInt8]) -> (packets: [[UInt8]], isPartial: Bool)?
    {
        bytes.withUnsafeMutableBytes { buffer in
            guard let packet = Superpacket(header, buffer) else { return nil }
            var room = [UInt8](repeating: 0, count: 4000)
            let packets = (0..<packet.count).compactMap { index in
                room.withUnsafeMutableBytes { packet.write(index, to: $0) }.map { Array(room[..<$0]) }
            }
            return (packets, packet.isPartial)
        }
    }

    /// The packets written, and the number of writes.
    static func join(_ packets: [[UInt8]], partial: Bool) -> (written: [[UInt8]], runs: Int) {
        var joiner = SegmentJoiner(.all)
        let memory = packets.map { packet in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: packet.count, alignment: 8)
            copy.copyBytes(from: packet)
            return copy
        }
        defer { for copy in memory { copy.deallocate() } }
        var written: [[UInt8]] = []
        for packet in memory where !joiner.append(packet, isPartial: partial) {
            _ = joiner.assemble()
            written.append(joiner.assembled)
            joiner.drop()
            _ = joiner.append(packet, isPartial: partial)
        }
        if joiner.count > 0 {
            _ = joiner.assemble()
            written.append(joiner.assembled)
        }
        return (written, written.count)
    }

    static func completed(_ packet: [UInt8]) -> [UInt8] {
        var packet = packet
        packet.withUnsafeMutableBytes { bytes in
            guard let transport = TransportHeader(in: UnsafeRawBufferPointer(bytes)) else { return }
            Checksum.complete(
                bytes, start: transport.start, offset: transport.checksumOffset, isUDP: !transport.isTCP)
        }
        return packet
    }
}
