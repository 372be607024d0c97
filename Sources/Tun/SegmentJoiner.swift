import Glibc
import Packet

/// Joins consecutive packets of one TCP or UDP flow into one write to the TUN device, which the kernel treats
/// as one packet of segments, like its own generic receive offload (whose conditions in Linux' tcp_gro_receive
/// apply here).
///
/// Only packets with a partial checksum are joined: the far end's kernel vouches for them. The packets' memory
/// must not change until `flush`; joining changes the headers of the first.
public struct SegmentJoiner: ~Copyable {
    /// Maximum number of packets in one write, below the kernel's 1024 pieces.
    public static let maximumCount = 128
    /// Maximum number of UDP packets: before Linux 6.9 the kernel accepts no more (UDP_MAX_SEGMENTS) and would
    /// drop all of them.
    static let maximumDatagrams = 64
    private static let maximumLength = 65535

    /// The number of packets waiting to be written.
    public private(set) var count = 0

    private let pieces: UnsafeMutablePointer<iovec>
    private let headerBytes: UnsafeMutableRawBufferPointer
    private let offloads: TunOffloads
    private var first = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var transport: TransportHeader?
    private var segmentSize = 0
    private var length = 0
    private var nextSequence: UInt32 = 0
    private var nextIdentification: UInt16 = 0
    private var isPartial = false
    private var isClosed = false

    /// A joiner for a device with these offloads.
    public init(_ offloads: TunOffloads) {
        self.offloads = offloads
        pieces = .allocate(capacity: Self.maximumCount + 1)
        pieces.initialize(repeating: iovec(), count: Self.maximumCount + 1)
        headerBytes = .allocate(byteCount: OffloadHeader.size, alignment: 8)
        pieces[0] = iovec(iov_base: headerBytes.baseAddress, iov_len: OffloadHeader.size)
    }

    deinit {
        pieces.deallocate()
        headerBytes.deallocate()
    }

    /// Adds a packet.
    /// - Returns: false if it cannot be joined to the waiting ones: call `flush` first.
    public mutating func append(_ packet: UnsafeMutableRawBufferPointer, isPartial: Bool) -> Bool {
        if count == 0 {
            begin(packet, isPartial: isPartial)
            return true
        }
        guard !isClosed, isPartial, let transport,
            count < (transport.isTCP ? Self.maximumCount : Self.maximumDatagrams),
            let size = continuation(UnsafeRawBufferPointer(packet), transport)
        else { return false }
        pieces[count + 1] = iovec(iov_base: packet.baseAddress! + transport.end, iov_len: size)
        count += 1
        length += size
        nextIdentification &+= 1
        nextSequence &+= UInt32(truncatingIfNeeded: size)
        // A shorter segment, FIN or PSH ends the run.
        isClosed = size < segmentSize
        if transport.isTCP {
            let flags = packet[transport.start + 13] & 0x09
            first[transport.start + 13] |= flags
            isClosed = isClosed || flags != 0
        }
        return true
    }

    private mutating func begin(_ packet: UnsafeMutableRawBufferPointer, isPartial: Bool) {
        first = packet
        count = 1
        length = packet.count
        self.isPartial = isPartial
        pieces[1] = iovec(iov_base: packet.baseAddress, iov_len: packet.count)
        transport = isPartial ? TransportHeader(in: UnsafeRawBufferPointer(packet)) : nil
        guard let transport, offloads.contains(needed(by: transport)) else {
            isClosed = true
            return
        }
        segmentSize = packet.count - transport.end
        let bytes = UnsafeRawBufferPointer(packet)
        nextIdentification = packet[0] >> 4 == 4 ? bytes.bigEndian(at: 4, as: UInt16.self) &+ 1 : 0
        if transport.isTCP {
            // Only ACK and ECE may be set: packets with SYN, RST, URG or CWR, and those that end a run, are
            // sent alone.
            isClosed = segmentSize == 0 || packet[transport.start + 13] & ~0x50 != 0
            nextSequence =
                bytes.bigEndian(at: transport.start + 4, as: UInt32.self)
                &+ UInt32(truncatingIfNeeded: segmentSize)
        } else {
            isClosed = segmentSize == 0
        }
    }

    /// The offload required for a run of such packets.
    private func needed(by transport: TransportHeader) -> TunOffloads {
        transport.isTCP ? (first[0] >> 4 == 4 ? .tcp4 : .tcp6) : .udp
    }

    /// The payload size if the packet continues the run.
    private func continuation(_ packet: UnsafeRawBufferPointer, _ transport: TransportHeader) -> Int? {
        guard packet.count > transport.end, let own = TransportHeader(in: packet),
            own.start == transport.start, own.end == transport.end, own.isTCP == transport.isTCP
        else { return nil }
        let size = packet.count - transport.end
        guard size <= segmentSize, length + size <= Self.maximumLength, hasSameAddresses(packet) else {
            return nil
        }
        let start = transport.start
        guard equal(packet, start, 4) else { return nil }
        guard transport.isTCP else { return size }
        guard packet.bigEndian(at: start + 4, as: UInt32.self) == nextSequence,
            equal(packet, start + 8, 5), (packet[start + 13] ^ first[start + 13]) & ~0x09 == 0,
            equal(packet, start + 14, 2), equal(packet, start + 18, transport.end - start - 18)
        else { return nil }
        return size
    }

    /// Whether the IP headers differ only in length, identification and checksum.
    private func hasSameAddresses(_ packet: UnsafeRawBufferPointer) -> Bool {
        guard packet[0] >> 4 == 4 else { return equal(packet, 0, 4) && equal(packet, 6, 34) }
        return equal(packet, 0, 2) && packet.bigEndian(at: 4, as: UInt16.self) == nextIdentification
            && equal(packet, 6, 4) && equal(packet, 12, Int(packet[0] & 15) * 4 - 12)
    }

    private func equal(_ packet: UnsafeRawBufferPointer, _ offset: Int, _ size: Int) -> Bool {
        memcmp(packet.baseAddress! + offset, first.baseAddress! + offset, size) == 0
    }

    /// Writes the waiting packets.
    /// - Returns: the number of bytes written, 0 if there were none, or a negative errno, in which case the
    ///   packets are lost.
    public mutating func flush(to device: borrowing TunDevice) -> Int {
        guard count > 0 else { return 0 }
        defer { count = 0 }
        guard device.hasHeaders else {
            completeChecksum()
            return device.write(UnsafeRawBufferPointer(first))
        }
        assemble().write(to: headerBytes)
        return device.write(pieces, count: count + 1)
    }

    /// Makes the first packet's headers describe all waiting packets, and returns the header for the kernel.
    mutating func assemble() -> OffloadHeader {
        var header = OffloadHeader()
        guard isPartial, let transport else { return header }
        header.needsChecksum = true
        header.checksumStart = UInt16(transport.start)
        header.checksumOffset = UInt16(transport.checksumOffset)
        if count > 1 { finish(transport, &header) }
        return header
    }

    /// The waiting packets, after `assemble`, as read by the kernel.
    var assembled: [UInt8] {
        (1...count).flatMap {
            [UInt8](UnsafeRawBufferPointer(start: pieces[$0].iov_base, count: pieces[$0].iov_len))
        }
    }

    /// Discards the waiting packets.
    mutating func drop() { count = 0 }

    /// Completes the checksum, for a device that accepts only complete packets.
    private func completeChecksum() {
        guard isPartial, let transport else { return }
        Checksum.complete(
            first, start: transport.start, offset: transport.checksumOffset, isUDP: !transport.isTCP)
    }

    /// Makes the first packet's headers those of the joined packet.
    private func finish(_ transport: TransportHeader, _ header: inout OffloadHeader) {
        let isIPv4 = first[0] >> 4 == 4
        header.segments = transport.isTCP ? (isIPv4 ? .tcp4 : .tcp6) : .udp
        header.headerLength = UInt16(transport.end)
        header.segmentSize = UInt16(segmentSize)
        if isIPv4 {
            first.storeBigEndian(UInt16(length), at: 2)
            Checksum.finishIPv4(first.slice(0, transport.start))
        } else {
            first.storeBigEndian(UInt16(length - 40), at: 4)
        }
        let transportLength = length - transport.start
        if !transport.isTCP { first.storeBigEndian(UInt16(transportLength), at: transport.start + 4) }
        let pseudo = Checksum.pseudoHeader(
            of: UnsafeRawBufferPointer(first),
            protocol: transport.isTCP ? TransportHeader.tcp : TransportHeader.udp,
            length: transportLength)
        first.storeBigEndian(pseudo, at: transport.start + transport.checksumOffset)
    }
}
