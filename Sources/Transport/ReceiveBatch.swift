import CLinux
import Glibc
import Packet

/// The datagrams received by one recvmmsg, each with its source and destination. Datagrams of one sender that
/// the kernel has joined (UDP_GRO) are separated again.
public struct ReceiveBatch: ~Copyable {
    @usableFromInline struct Row {
        @usableFromInline var offset: Int
        @usableFromInline var length: Int
        @usableFromInline var link: Link
        @usableFromInline var ecn: UInt8
        @usableFromInline var stamp: UInt64

        @usableFromInline init(offset: Int, length: Int, link: Link, ecn: UInt8, stamp: UInt64) {
            self.offset = offset
            self.length = length
            self.link = link
            self.ecn = ecn
            self.stamp = stamp
        }
    }

    /// The largest accepted datagram, in bytes; no path of a tunnel carries a larger one.
    public static let maximumDatagram = 2048
    /// Maximum number of bytes that the kernel joins.
    static let bufferSize = 65536
    /// Maximum number of datagrams that the kernel joins (Linux' UDP_GRO_CNT_MAX is 64; small ones may be more).
    static let segmentsPerBuffer = 128

    /// The number of datagrams in the last receive.
    public private(set) var count = 0
    /// The number of datagrams dropped since the start, because they were larger than `maximumDatagram` or had
    /// no sender to reply to.
    public private(set) var refused: UInt64 = 0

    private let table: MessageTable
    @usableFromInline let bytes: UnsafeMutableRawPointer
    @usableFromInline let rows: UnsafeMutablePointer<Row>

    /// Room for `capacity` reads of up to 64 KiB each. Four yield at most 256 datagrams, which one ACK frame
    /// can acknowledge.
    public init(capacity: Int = 4) {
        precondition(capacity > 0)
        table = MessageTable(capacity: capacity)
        bytes = .allocate(byteCount: capacity * Self.bufferSize, alignment: 64)
        rows = .allocate(capacity: capacity * Self.segmentsPerBuffer)
        for i in 0..<capacity {
            table.vectors[i] = iovec(iov_base: bytes + i * Self.bufferSize, iov_len: Self.bufferSize)
        }
    }

    deinit {
        bytes.deallocate()
        rows.deallocate()
    }

    /// The `index`-th datagram's bytes. Valid until the next receive.
    @inlinable public func datagram(_ index: Int) -> UnsafeRawBufferPointer {
        precondition(index >= 0 && index < count)
        return UnsafeRawBufferPointer(start: bytes + rows[index].offset, count: rows[index].length)
    }

    /// The link on which the `index`-th datagram arrived; `socket` is the caller's number of the socket.
    @inlinable public func link(_ index: Int, socket: UInt16) -> Link {
        precondition(index >= 0 && index < count)
        var link = rows[index].link
        link.socket = socket
        return link
    }

    /// The two ECN bits of the `index`-th datagram. The kernel joins only datagrams with the same bits.
    @inlinable public func ecn(_ index: Int) -> UInt8 {
        precondition(index >= 0 && index < count)
        return rows[index].ecn
    }

    /// When the `index`-th datagram arrived at this host, by the wall clock in nanoseconds since 1970; 0 where the
    /// kernel does not say. Datagrams that the kernel joined have the same stamp.
    @inlinable public func stamp(_ index: Int) -> UInt64 {
        precondition(index >= 0 && index < count)
        return rows[index].stamp
    }

    /// Calls recvmmsg. Returns how many reads the kernel filled (including those refused here), 0 or a negative
    /// errno.
    mutating func fill(from descriptor: Int32) -> Int {
        count = 0
        let received = Int(clinux_receive(descriptor, table.messages, UInt32(table.capacity)))
        guard received > 0 else { return received }
        for i in 0..<received {
            take(i)
            table.prepareToReceive(i)
        }
        return received
    }

    private mutating func take(_ i: Int) {
        let message = table.messages[i]
        guard message.header.msg_flags & Int32(MSG_TRUNC) == 0,
            let remote = SocketAddress.read(UnsafeRawBufferPointer(table.name(i)))
        else {
            refused &+= 1
            return
        }
        let link = Link(socket: 0, local: table.localAddress(i), remote: remote)
        let length = Int(message.length)
        let joined = Int(clinux_segment_size(&table.messages[i].header))
        let ecn = UInt8(clinux_ecn(&table.messages[i].header))
        let stamp = clinux_receive_time(&table.messages[i].header)
        let size = joined > 0 ? joined : max(length, 1)
        guard size <= Self.maximumDatagram else {
            refused &+= 1
            return
        }
        let pieces = max(1, (length + size - 1) / size)
        for piece in 0..<min(pieces, Self.segmentsPerBuffer) {
            let offset = piece * size
            let row = Row(
                offset: i * Self.bufferSize + offset, length: min(size, length - offset), link: link,
                ecn: ecn, stamp: stamp)
            (rows + count).initialize(to: row)
            count += 1
        }
        if pieces > Self.segmentsPerBuffer { refused &+= 1 }
    }
}
