import LinkModel
import Packet
import TestSupport
import Testing

@Suite struct FragmentsTests {
    /// An IPv4 packet with this many bytes of payload; `place` is the word of flags and offset.
    private func packet(_ payload: Int, place: UInt16 = 0, options: [UInt8] = []) -> [UInt8] {
        let header = 20 + options.count
        var bytes = [UInt8](repeating: 0, count: header + payload)
        for i in header..<bytes.count { bytes[i] = UInt8(truncatingIfNeeded: i &* 31 ^ i >> 8) }
        bytes.withUnsafeMutableBytes { out in
            out[0] = 0x40 | UInt8(header / 4)
            out[1] = 0xB9
            out.storeBigEndian(UInt16(out.count), at: 2)
            out.storeBigEndian(UInt16(0xBEEF), at: 4)
            out.storeBigEndian(place, at: 6)
            (out[8], out[9]) = (63, 17)
            for i in 0..<8 { out[12 + i] = UInt8(10 + i) }
            for (i, option) in options.enumerated() { out[20 + i] = option }
            Checksum.finishIPv4(out.slice(0, header))
        }
        return bytes
    }

    private func cut(_ bytes: [UInt8], _ limit: Int) -> [[UInt8]]? {
        bytes.withUnsafeBytes { bytes in
            guard var fragments = Fragments(of: bytes, limit: limit) else { return nil }
            var pieces: [[UInt8]] = []
            var room = [UInt8](repeating: 0xEE, count: 2048)
            while let length = room.withUnsafeMutableBytes({ fragments.writeNext(to: $0) }) {
                pieces.append(Array(room[..<length]))
                guard pieces.count < 300 else { break }
            }
            return pieces
        }
    }

    private func headerSum(_ bytes: [UInt8]) -> UInt16 {
        let header = Int(bytes[0] & 15) * 4
        return bytes.withUnsafeBytes { Checksum.sum($0.slice(0, header)) }
    }

    private func word(_ bytes: [UInt8], _ at: Int) -> UInt16 {
        UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1])
    }

    /// RFC 815: each fragment fills a hole, in any order.
    private func reassemble(_ pieces: [[UInt8]]) -> (payload: [UInt8?], isWhole: Bool) {
        var payload: [UInt8?] = []
        var end: Int?
        for piece in pieces.reversed() {
            let header = Int(piece[0] & 15) * 4
            let start = Int(word(piece, 6) & 0x1FFF) * 8
            let size = piece.count - header
            if start + size > payload.count {
                payload += Array(repeating: nil, count: start + size - payload.count)
            }
            for i in 0..<size { payload[start + i] = piece[header + i] }
            if word(piece, 6) & 0x2000 == 0 { end = start + size }
        }
        return (payload, end == payload.count && payload.allSatisfy { $0 != nil })
    }

    @Test(arguments: [1, 7, 8, 9, 500, 1400, 1980]) func theReceiverPutsItTogether(_ payload: Int) throws {
        for limit in [28, 68, 100, 548, 1348, 2000] {
            let whole = packet(payload)
            let pieces = try #require(cut(whole, limit))
            for piece in pieces {
                let length = Int(word(piece, 2))
                #expect(piece.count <= limit && piece.count == length)
                #expect(headerSum(piece) == 0xFFFF)
                #expect(piece[1] == 0xB9 && word(piece, 4) == 0xBEEF)
                #expect(piece[8..<10].elementsEqual([63, 17]))
                #expect(piece[12..<20].elementsEqual(whole[12..<20]))
            }
            let (bytes, isWhole) = reassemble(pieces)
            #expect(isWhole, "\(payload) in pieces of \(limit)")
            #expect(bytes.compactMap(\.self).elementsEqual(whole[20...]))
        }
    }

    @Test func aFragmentIsCutAgain() throws {
        let last = try #require(cut(packet(1000, place: 100), 500)).map { word($0, 6) }
        #expect(last == [0x2064, 0x20A0, 220] as [UInt16])
        let middle = try #require(cut(packet(1000, place: 0x2064), 500)).map { word($0, 6) }
        #expect(middle == [0x2064, 0x20A0, 0x20DC] as [UInt16])
    }

    /// Record route stays with the first fragment, security with all (RFC 791 section 3.1).
    @Test func onlyCopiedOptionsAreCopied() throws {
        let options: [UInt8] = [7, 7, 4, 1, 2, 3, 4, 1, 130, 3, 9, 0]
        let pieces = try #require(cut(packet(100, options: options), 80))
        #expect(pieces.count == 3)
        let later: [UInt8] = [1, 1, 1, 1, 1, 1, 1, 1, 130, 3, 9, 0]
        #expect(pieces[0][20..<32].elementsEqual(options))
        #expect(pieces[1][20..<32].elementsEqual(later))
        for piece in pieces { #expect(headerSum(piece) == 0xFFFF) }
    }

    @Test func whatMustNotBeCutIsNot() {
        #expect(cut(packet(1000, place: 0x4000), 500) == nil)
        #expect(cut(packet(1000), 27) == nil)
        #expect(cut([UInt8](repeating: 0, count: 10), 500) == nil)
        var six = [UInt8](repeating: 0, count: 1000)
        six[0] = 0x60
        (six[4], six[5]) = (3, 192)
        #expect(cut(six, 500) == nil)
    }

    /// Whatever the header contains: no trap, and it ends.
    @Test func anyHeaderIsCutOrRefused() {
        var random = SeededGenerator(seed: 4)
        for _ in 0..<20_000 {
            var bytes = [UInt8](repeating: 0, count: 20 + random.below(200))
            for i in bytes.indices { bytes[i] = UInt8(truncatingIfNeeded: random.next()) }
            bytes[0] = 0x40 | UInt8(5 + random.below(11))
            (bytes[2], bytes[3]) = (0, UInt8(bytes.count))
            if let pieces = cut(bytes, 30 + random.below(100)) { #expect(pieces.count < 100) }
        }
    }
}
