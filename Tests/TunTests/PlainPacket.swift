import Lab
import Packet

@testable import Tun

/// A TCP or UDP packet and its segments computed in a simple way: the reference, with full checksums.
struct PlainPacket {
    var isIPv4 = true
    var isTCP = true
    var flags: UInt8 = 0x10
    var payload: [UInt8]
    var sequence: UInt32 = 0xFFFF_FA00
    var identification: UInt16 = 0xFFFE
    /// TCP options, a multiple of four.
    var options: [UInt8] = [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8]
    /// IPv4 options or IPv6 extension headers, ready made.
    var ipOptions: [UInt8] = []
    var trafficClass: UInt8 = 2

    var start: Int { (isIPv4 ? 20 : 40) + ipOptions.count }

    /// The whole packet with these parts; a full checksum, or only the pseudo header's sum.
    func bytes(
        _ part: Range<Int>, flags: UInt8, index: Int, isPartial: Bool
    ) -> [UInt8] {
        let body = Array(payload[part])
        var transport: [UInt8] = [0x12, 0x34, 0x56, 0x78]
        if isTCP {
            transport += Self.big(sequence &+ UInt32(part.lowerBound))
            transport += [0xA, 0xB, 0xC, 0xD, UInt8((20 + options.count) * 4), flags, 0x20, 0x30, 0, 0, 0, 0]
            transport += options
        } else {
            transport += Self.big(UInt16(8 + body.count)) + [0, 0]
        }
        transport += body
        let addresses: [UInt8] =
            isIPv4 ? [10, 77, 0, 1, 10, 77, 0, 2] : (0..<32).map { UInt8($0 * 7 % 251) }
        let number: UInt8 = isTCP ? 6 : 17
        let pseudo = addresses + Self.big(UInt32(transport.count)) + [0, 0, 0, number]
        let field = isTCP ? 16 : 6
        var sum = Self.sum(pseudo + (isPartial ? [] : transport))
        if !isPartial {
            sum = ~sum
            if !isTCP && sum == 0 { sum = 0xFFFF }
        }
        transport.replaceSubrange(field..<field + 2, with: Self.big(sum))
        if isIPv4 {
            var header: [UInt8] = [UInt8(0x40 | start / 4), trafficClass]
            header += Self.big(UInt16(start + transport.count)) + Self.big(identification &+ UInt16(index))
            header += [0x40, 0, 63, number, 0, 0] + addresses + ipOptions
            header.replaceSubrange(10..<12, with: Self.big(~Self.sum(header)))
            return header + transport
        }
        let first: UInt8 = ipOptions.isEmpty ? number : 60
        let length = UInt16(ipOptions.count + transport.count)
        return [0x60 | trafficClass >> 4, trafficClass << 4, 0, 9] + Self.big(length) + [first, 63]
            + addresses
            + ipOptions + transport
    }

    /// The kernel's form: one packet of segments.
    func whole(segmentSize: Int) -> (header: OffloadHeader, bytes: [UInt8]) {
        var header = OffloadHeader()
        header.needsChecksum = true
        header.segments = !isTCP ? .udp : isIPv4 ? .tcp4 : .tcp6
        header.segmentSize = UInt16(segmentSize)
        header.checksumStart = UInt16(start)
        header.checksumOffset = isTCP ? 16 : 6
        header.headerLength = UInt16(start + (isTCP ? 20 + options.count : 8))
        return (header, bytes(0..<payload.count, flags: flags, index: 0, isPartial: true))
    }

    /// The packets on a wire without offloads.
    func segments(of size: Int) -> [[UInt8]] {
        let offsets = stride(from: 0, to: payload.count, by: size)
        return offsets.enumerated().map { index, offset in
            let end = min(offset + size, payload.count)
            var flags = flags
            if end < payload.count { flags &= ~0x09 }
            if index > 0 { flags &= ~0x80 }
            return bytes(offset..<end, flags: flags, index: index, isPartial: false)
        }
    }

    /// An ICMP echo request, ready for the kernel.
    static func echo(from source: UInt32, to destination: UInt32) -> [UInt8] {
        var message: [UInt8] = [8, 0, 0, 0, 0, 1, 0, 1] + Array("hello".utf8) + [0]
        message.replaceSubrange(2..<4, with: big(~sum(message)))
        var header: [UInt8] = [0x45, 0] + big(UInt16(20 + message.count)) + [0, 0, 0, 0, 64, 1, 0, 0]
        header += big(source) + big(destination)
        header.replaceSubrange(10..<12, with: big(~sum(header)))
        return header + message
    }

    private static func big<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    static func sum(_ bytes: [UInt8]) -> UInt16 {
        var total: UInt32 = 0
        for i in stride(from: 0, to: bytes.count, by: 2) {
            total += UInt32(bytes[i]) << 8 | (i + 1 < bytes.count ? UInt32(bytes[i + 1]) : 0)
            total = (total & 0xFFFF) + total >> 16
        }
        return UInt16(total)
    }
}
