import Packet
import Testing

@testable import Proto

@Suite struct FrameTests {
    private static let v4 = IPAddress(v4: 0x0A58_0002)
    private static let v6 = IPAddress(v6High: 0xFD00_0000_0000_0000, low: 2)

    /// Assignments and their bytes; a frame does not have the settings itself.
    private static let assignments: [(frame: AssignFrame, text: String)] = [
        (
            AssignFrame(
                mtu: 1400,
                addresses: [
                    InterfaceAddress(address: v4, prefix: 24), InterfaceAddress(address: v6, prefix: 64),
                ], dns: [v4, v6],
                routes: [
                    Prefix(address: IPAddress(v4: 0), length: 0),
                    Prefix(address: IPAddress(v6High: 0, low: 0), length: 0),
                ]),
            "07 004b"  // type, length 75
                + "0578 02 02 02"  // MTU, counts
                + "04 18 0a580002  06 40 fd000000000000000000000000000002"  // addresses
                + "04 0a580002  06 fd000000000000000000000000000002"  // DNS servers
                + "04 00 00000000  06 00 00000000000000000000000000000000"  // routes
        ),
        (
            AssignFrame(
                mtu: 1400, networks: [Prefix(address: IPAddress(v4: 0xC0A8_3200), length: 24)]),
            "07 000c 0578 00 00 00  01 04 18 c0a83200"  // no lists of the first version; networks
        ),
    ]

    /// Each frame and its bytes, by field.
    private static let golden: [(Frame, String)] = [
        (
            .ack(
                AckFrame(
                    pathID: 0x0102, highest: 0x1112_1314_1516,
                    map: (0x21, 0x2200_0000_0000_0000, 0x23, 0x2400_0000_0000_0001),
                    packetsReceived: 0x31, bytesReceived: 0x32, receiveTime: 0x33, delay: 0x34)),
            "01 0044"  // type, length 68
                + "0102 111213141516"  // path ID, highest
                // map
                + "0000000000000021 2200000000000000 0000000000000023 2400000000000001"
                // packets, bytes, time, delay
                + "0000000000000031 0000000000000032 0000000000000033 00000034"
        ),
        (.ping(0x0102_0304_0506_0708), "02 0008 0102030405060708"),
        (.pong(0x0102_0304_0506_0708), "03 0008 0102030405060708"),
        (.pathChallenge(0x0102_0304_0506_0708), "04 0008 0102030405060708"),
        (.pathResponse(0x0102_0304_0506_0708), "05 0008 0102030405060708"),
        (
            .pathStatus(PathStatusFrame(pathID: 0x0102, role: 2, down: true, capMbit: 0x0304)),
            "06 0006 0102 02 01 0304"  // path ID, role, down, cap
        ),
        (
            .pathStatus(PathStatusFrame(pathID: 0x0102, role: 3, down: false, isSpent: true)),
            "06 0006 0102 03 02 0000"  // spent
        ),
        (.assign, Self.assignments[0].text), (.assign, Self.assignments[1].text),
        (.close(3), "08 0001 03"),
        (.mode(ModeFrame(mode: 3, redundantPaths: 2)), "09 0002 03 02"),
        (.assignRequest, "0a 0000"),
        (.bench(BenchFrame(pathID: 0x0102, milliseconds: 500)), "10 0004 0102 01f4"),
        (
            .benchCount(BenchCountFrame(time: 0x0102_0304_0506_0708, bytes: 0x11)),
            "11 0010 0102030405060708 0000000000000011"
        ),
    ]

    private static let repair = "0b 0009 020304 05 06 0708090a"  // type, length; first, count, seed, symbol

    private func append(_ frame: Frame, _ text: String, to writer: inout FrameWriter) -> Bool {
        guard frame == .assign else { return writer.append(frame) }
        return writer.append(Self.assignments.first { $0.text == text }!.frame)
    }

    private func readAssignment(_ bytes: [UInt8]) -> AssignFrame? {
        let buffer = Buffer(bytes)
        var reader = FrameReader(buffer.read)
        return reader.next() == .assign ? reader.assignment : nil
    }

    /// Frames, and the settings of the ASSIGNs among them, in order.
    private func read(
        _ bytes: [UInt8]
    ) -> (frames: [Frame], assignments: [AssignFrame], isMalformed: Bool) {
        let buffer = Buffer(bytes)
        var reader = FrameReader(buffer.read)
        var frames: [Frame] = []
        var assignments: [AssignFrame] = []
        while let frame = reader.next() {
            frames.append(frame)
            if frame == .assign, let assignment = reader.assignment { assignments.append(assignment) }
        }
        #expect(reader.next() == nil)
        return (frames, assignments, reader.isMalformed)
    }

    @Test func golden() {
        for (frame, text) in Self.golden {
            let expected = hex(text)
            let buffer = Buffer(expected.count)
            var writer = FrameWriter(buffer.bytes)
            let fits = append(frame, text, to: &writer)
            #expect(fits)
            #expect(writer.count == expected.count)
            #expect(hex(buffer.first(writer.count)) == hex(expected))
            let result = read(expected)
            #expect(result.frames == [frame])
            #expect(!result.isMalformed)
        }
    }

    @Test func assignmentsAreRead() {
        for (frame, text) in Self.assignments { #expect(readAssignment(hex(text)) == frame) }
        #expect(readAssignment(hex("0a 0000")) == nil)
    }

    @Test func ackFrameSize() {
        #expect(hex(Self.golden[0].1).count == Wire.ackFrameSize)
    }

    /// One byte short of room: nothing is written or counted.
    @Test func writesWholeFramesOnly() {
        for (frame, text) in Self.golden {
            let room = hex(text).count - 1
            let buffer = Buffer(room)
            var writer = FrameWriter(buffer.bytes)
            let fits = append(frame, text, to: &writer)
            #expect(!fits)
            #expect(writer.count == 0)
            #expect(buffer.first(room) == [UInt8](repeating: 0xEE, count: room))
        }
    }

    @Test func truncationIsMalformed() {
        for (frame, text) in Self.golden {
            let whole = hex("02 0008 0000000000000001") + hex(text)
            for length in 12..<whole.count {
                let result = read(Array(whole[..<length]))
                #expect(result.frames == [.ping(1)], "\(frame) cut to \(length)")
                #expect(result.isMalformed, "\(frame) cut to \(length)")
            }
        }
    }

    /// As sent by peers without the number of paths.
    @Test func aModeAloneMeansAllPaths() {
        let result = read(hex("09 0001 02"))
        #expect(result.frames == [.mode(ModeFrame(mode: 2, redundantPaths: 0))] && !result.isMalformed)
        #expect(read(hex("09 0000")).isMalformed)
    }

    /// A body that is too short for its type, although its length is consistent.
    @Test func shortBodyIsMalformed() {
        for (frame, text) in Self.golden where frame != .assignRequest {
            // Half of a MODE is the form of earlier versions.
            if case .mode = frame { continue }
            var bytes = hex(text)
            bytes.removeLast()
            let length = bytes.count - 3
            bytes[1] = UInt8(length >> 8)
            bytes[2] = UInt8(length & 255)
            let result = read(bytes + hex("02 0008 0000000000000001"))
            #expect(result.frames.isEmpty, "\(frame)")
            #expect(result.isMalformed, "\(frame)")
        }
    }

    @Test func skipsWhatIsUnknown() {
        for (frame, text) in Self.golden {
            // The list of networks is where an ASSIGN without any may continue.
            if text == Self.assignments[0].text { continue }
            var bytes = hex(text)
            let length = bytes.count - 3 + 2
            bytes[1] = UInt8(length >> 8)
            bytes[2] = UInt8(length & 255)
            // an unknown type, padding, and a frame with two bytes of a later version in its body
            let result = read(hex("c8 0003 010203  00 0002 0000") + bytes + hex("dead 00 0000"))
            #expect(result.frames == [frame])
            #expect(!result.isMalformed)
        }
    }

    /// A REPAIR's body is a symbol to its end.
    @Test func repairCarriesItsSymbol() {
        let frame = RepairFrame(first: 0x99_0102_0304, count: 5, seed: 6, symbolSize: 4)
        let golden = hex(Self.repair)
        let buffer = Buffer(golden.count)
        var writer = FrameWriter(buffer.bytes)
        let fits = writer.append(frame)
        #expect(fits && writer.count == golden.count)
        #expect(buffer.first(Wire.repairHeadSize) == Array(golden[..<Wire.repairHeadSize]))
        let whole = Buffer(hex("02 0008 0000000000000001") + golden + hex("02 0008 0000000000000002"))
        var reader = FrameReader(whole.read)
        #expect(reader.next() == .ping(1))
        #expect(reader.next() == .repair(frame))
        #expect(Array(reader.tail) == [7, 8, 9, 10])
        #expect(reader.next() == .ping(2))
        for text in ["0b 0005 020304 05 06", "0b 0004 020304 05", "0b 0006 020304 00 06 07"] {
            #expect(read(hex(text)).isMalformed, "\(text)")
        }
        var cramped = FrameWriter(Buffer(golden.count - 1).bytes)
        let isCramped = cramped.append(frame)
        #expect(!isCramped && cramped.count == 0)
    }

    /// The intended sequence is found if both ends are within eight million of each other.
    @Test func repairsSequenceIsCompleted() {
        for first in [0, 1, 1 << 23, 1 << 24 - 1, 1 << 24, 5 << 40 + 77, 1 << 62 - 1] as [UInt64] {
            let frame = RepairFrame(first: first, count: 1, seed: 0, symbolSize: 1)
            for distance in [0, 1, 300, 1 << 23 - 1] as [UInt64] {
                #expect(frame.first(near: first + distance) == first)
                if distance <= first { #expect(frame.first(near: first - distance) == first) }
            }
            // No honest peer comes close: whatever it is, it is a number.
            #expect(frame.first(near: .max) & 0xFF_FFFF == first & 0xFF_FFFF)
        }
    }

    @Test func padding() {
        let buffer = Buffer(100)
        var writer = FrameWriter(buffer.bytes)
        let ping = writer.append(ping: 5)
        let tooSmall = writer.append(padding: 2)
        let tooBig = writer.append(padding: 90)
        let fits = writer.append(padding: 89)
        #expect(ping && !tooSmall && !tooBig && fits)
        #expect(writer.count == 100 && writer.remaining == 0)
        #expect(buffer.first(100)[14...] == [UInt8](repeating: 0, count: 86)[...])
        let result = read(buffer.first(100))
        #expect(result.frames == [.ping(5)] && !result.isMalformed)
    }

    @Test func assignIsBounded() {
        let address = InterfaceAddress(address: Self.v4, prefix: 24)
        let route = Prefix(address: Self.v6, length: 128)
        let full = AssignFrame(
            mtu: 1280, addresses: Array(repeating: address, count: 8),
            dns: Array(repeating: Self.v6, count: 4),
            routes: Array(repeating: route, count: 32), networks: Array(repeating: route, count: 16))
        let buffer = Buffer(1200)
        var writer = FrameWriter(buffer.bytes)
        let fits = writer.append(full)
        #expect(fits)
        #expect(readAssignment(buffer.first(writer.count)) == full)

        var tooMany = full
        tooMany.dns.append(Self.v4)
        var tooLong = full
        tooLong.routes[3].length = 129
        var tooLongV4 = full
        tooLongV4.addresses[0].prefix = 33
        var tooWide = full
        tooWide.networks.append(route)
        for frame in [tooMany, tooLong, tooLongV4, tooWide] {
            var writer = FrameWriter(buffer.bytes)
            let fits = writer.append(frame)
            #expect(!fits && writer.count == 0)
        }
        // The same from the network: counts beyond the limits, a prefix and a family that do not exist.
        for text in [
            "07 0005 0578 09 00 00", "07 0005 0578 00 05 00", "07 0005 0578 00 00 21",
            "07 000b 0578 01 00 00 04 21 0a580002", "07 000b 0578 01 00 00 05 18 0a580002",
            "07 000b 0578 01 00 00 06 18 0a580002", "07 0006 0578 00 00 00 11", "07 0006 0578 00 00 00 01",
            "07 000c 0578 00 00 00 01 04 21 0a580000",
        ] {
            #expect(read(hex(text)).isMalformed, "\(text)")
        }
    }

    /// Compares with a plain list of numbers.
    @Test func acknowledges() {
        let seed: UInt64 = 5
        var random = SplitMix(seed)
        for _ in 0..<200 {
            let highest = UInt64.random(in: 0...600, using: &random)
            var map: [UInt64] = (0..<4).map { _ in random.next() }
            if highest < 256 { map = map.map { _ in 0 } }
            let frame = AckFrame(pathID: 0, highest: highest, map: (map[0], map[1], map[2], map[3]))
            var received: Set<UInt64> = [highest]
            for bit in 0..<256 where map[bit / 64] >> UInt64(bit % 64) & 1 == 1 {
                received.insert(highest - 1 - UInt64(bit))
            }
            for number in 0..<UInt64(700) {
                #expect(frame.isAcknowledged(number) == received.contains(number), "seed \(seed)")
            }
            #expect(!frame.isAcknowledged(.max))
        }
    }

    /// Random bytes, and random damage to valid ones: reading ends, within the buffer, and frames that were
    /// read can be written again and read back equal.
    @Test func fuzz() {
        let seed: UInt64 = 2026
        var random = SplitMix(seed)
        let out = Buffer(4096)
        let corpus = Self.golden.map { hex($0.1) } + [hex(Self.repair)]
        for round in 0..<100_000 {
            var bytes: [UInt8] = []
            if round % 2 == 0 {
                bytes = random.bytes(.random(in: 0...120, using: &random))
                // Small types and lengths, as otherwise almost only unknown types would occur.
                if bytes.count > 3 {
                    bytes[0] &= 15
                    bytes[1] = 0
                }
            } else {
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes += corpus.randomElement(using: &random) ?? []
                }
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                        in: 0...255, using: &random)
                }
            }
            let result = read(bytes)
            var writer = FrameWriter(out.bytes)
            var assignments = result.assignments[...]
            let fits = result.frames.allSatisfy {
                $0 == .assign ? writer.append(assignments.removeFirst()) : writer.append($0)
            }
            let again = read(out.first(writer.count))
            #expect(
                fits && again.frames == result.frames && again.assignments == result.assignments
                    && !again.isMalformed, "seed \(seed) round \(round)")
        }
    }

    /// A challenge may include the number of skipped packet numbers; without it, its form is unchanged.
    @Test func aChallengeCountsSkippedNumbers() {
        for skipped in [UInt64(0), 1, .max] {
            var bytes = [UInt8](repeating: 0, count: 40)
            let count = bytes.withUnsafeMutableBytes { room in
                var writer = FrameWriter(room)
                _ = writer.append(pathChallenge: 0x0102_0304_0506_0708, skipped: skipped)
                return writer.count
            }
            #expect(count == (skipped == 0 ? 11 : 19))
            bytes[..<count].withUnsafeBytes { bytes in
                var reader = FrameReader(bytes)
                let frame = reader.next()
                #expect(frame == .pathChallenge(0x0102_0304_0506_0708))
                let said = reader.tail.count >= 8 ? reader.tail.bigEndian(at: 0, as: UInt64.self) : 0
                #expect(said == skipped)
            }
        }
    }
}
