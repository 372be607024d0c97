import Packet
import Tun

/// Segments a packet from the kernel, and joins the segments again as the far end does.
final class TunnelMemory {
    private static let most = 64
    private let packet = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 64)
    private let rooms = UnsafeMutableRawBufferPointer.allocate(byteCount: most * 2048, alignment: 64)

    deinit {
        packet.deallocate()
        rooms.deallocate()
    }

    /// - Parameter bytes: virtio's header (the machine's byte order), then the packet.
    func pass(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > OffloadHeader.size, bytes.count <= packet.count else { return }
        var header = OffloadHeader()
        header.needsChecksum = bytes[0] & 1 != 0
        guard let segments = OffloadHeader.Segments(rawValue: bytes[1] & 0x7F) else { return }
        header.segments = segments
        header.headerLength = bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
        header.segmentSize = bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self)
        header.checksumStart = bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self)
        header.checksumOffset = bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
        let whole = packet.slice(0, bytes.count - OffloadHeader.size)
        whole.copyMemory(from: bytes.dropping(OffloadHeader.size))
        guard let superpacket = Superpacket(header, whole) else { return }
        _ = superpacket.flow
        var joiner = SegmentJoiner(.all)
        for index in 0..<min(superpacket.count, Self.most) {
            let room = rooms.slice(index * 2048, 1996)
            guard let length = superpacket.write(index, to: room) else { continue }
            deliver(room.slice(0, length), isPartial: superpacket.isPartial, to: &joiner)
        }
    }

    private func deliver(
        _ packet: UnsafeMutableRawBufferPointer, isPartial: Bool, to joiner: inout SegmentJoiner
    ) {
        guard let inner = InnerPacket(parsing: UnsafeRawBufferPointer(packet)) else { return }
        precondition(inner.length <= packet.count, "an inner packet is longer than its bytes")
        let bytes = packet.slice(0, inner.length)
        InnerPacket.clampSegments(in: bytes, to: 1300, hasPartialChecksum: isPartial)
        _ = InnerPacket.combineECN(InnerPacket.ce, in: bytes)
        _ = joiner.append(bytes, isPartial: isPartial)
    }
}
