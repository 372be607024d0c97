import CLinux
import Glibc
import Packet

/// The datagrams of one receive and where they came from. Its memory is allocated once and used again.
public struct ReceiveBatch: ~Copyable {
    @usableFromInline
    struct Row {
        @usableFromInline var offset: Int
        @usableFromInline var length: Int
        @usableFromInline var link: Link
    }

    /// The largest datagram that is taken, in bytes: the wire format's own limit.
    public static let maximumDatagram = 2048

    /// How many datagrams the last receive brought.
    public private(set) var count = 0
    /// How many datagrams were dropped since the start, as they were larger than `maximumDatagram` or had no
    /// sender that could be answered.
    public private(set) var refused: UInt64 = 0

    private let table: MessageTable
    @usableFromInline let bytes: UnsafeMutableRawPointer
    @usableFromInline let rows: UnsafeMutablePointer<Row>

    /// Room for `capacity` datagrams a receive.
    public init(capacity: Int = 64) {
        precondition(capacity > 0)
        table = MessageTable(capacity: capacity)
        bytes = .allocate(byteCount: capacity * Self.maximumDatagram, alignment: 64)
        rows = .allocate(capacity: capacity)
        for i in 0..<capacity {
            table.vectors[i] = iovec(
                iov_base: bytes + i * Self.maximumDatagram, iov_len: Self.maximumDatagram)
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

    /// Which way the `index`-th datagram came; `socket` is the caller's number of the socket.
    @inlinable public func link(_ index: Int, socket: UInt16) -> Link {
        precondition(index >= 0 && index < count)
        var link = rows[index].link
        link.socket = socket
        return link
    }

    /// recvmmsg. Returns what the kernel gave (also what is refused here), 0 or a negative errno.
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
        (rows + count).initialize(
            to: Row(offset: i * Self.maximumDatagram, length: Int(message.length), link: link))
        count += 1
    }
}
