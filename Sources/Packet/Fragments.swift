/// The fragments of an IPv4 packet that exceeds the MTU of its path (RFC 791 section 3.2, RFC 815). The
/// receiving host reassembles them.
public struct Fragments {
    private static let moreFollow: UInt16 = 0x2000
    private static let dontFragment: UInt16 = 0x4000

    private let packet: UnsafeRawBufferPointer
    private let headerLength: Int
    /// Bytes of payload in each fragment but the last; a multiple of 8.
    private let step: Int
    private var offset: Int

    /// The fragments of `packet`, each of at most `limit` bytes. `packet` must outlive them.
    /// - Returns: nil if it is not IPv4, must not be fragmented (DF), or cannot be cut that small.
    public init?(of packet: UnsafeRawBufferPointer, limit: Int) {
        guard let whole = InnerPacket(parsing: packet), packet[0] >> 4 == 4,
            packet.bigEndian(at: 6, as: UInt16.self) & Self.dontFragment == 0
        else { return nil }
        self.packet = packet.slice(0, whole.length)
        headerLength = Int(packet[0] & 15) * 4
        step = (limit - headerLength) & ~7
        guard step >= 8 else { return nil }
        offset = headerLength
    }

    /// Writes the next fragment to `room`, which has at least `limit` bytes.
    /// - Returns: its length in bytes; nil after the last.
    public mutating func writeNext(to room: UnsafeMutableRawBufferPointer) -> Int? {
        let size = min(step, packet.count - offset)
        guard size > 0, headerLength + size <= room.count else { return nil }
        let out = room.slice(0, headerLength + size)
        out.copyMemory(from: packet.slice(0, headerLength))
        out.dropping(headerLength).copyMemory(from: packet.slice(offset, size))
        if offset > headerLength { dropOptions(of: out.slice(0, headerLength)) }
        offset += size
        let before = packet.bigEndian(at: 6, as: UInt16.self)
        // The packet may be a fragment itself.
        let place = before & 0x1FFF &+ UInt16(truncatingIfNeeded: (offset - size - headerLength) / 8)
        let isLast = offset == packet.count
        out.storeBigEndian(UInt16(out.count), at: 2)
        out.storeBigEndian(place & 0x1FFF | (isLast ? before & Self.moreFollow : Self.moreFollow), at: 6)
        Checksum.finishIPv4(out.slice(0, headerLength))
        return out.count
    }

    /// Replaces options that, by their copied flag, belong only in the first fragment, with padding.
    private func dropOptions(of header: UnsafeMutableRawBufferPointer) {
        var at = 20
        while at < header.count, header[at] != 0 {
            guard header[at] != 1 else {
                at += 1
                continue
            }
            guard at + 1 < header.count, header[at + 1] >= 2 else { return }
            let end = min(at + Int(header[at + 1]), header.count)
            if header[at] & 0x80 == 0 {
                header.slice(at, end - at).initializeMemory(as: UInt8.self, repeating: 1)
            }
            at = end
        }
    }
}
