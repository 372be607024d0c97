import CLinux
import Glibc
import Packet

/// The arrays for recvmmsg and sendmmsg, one row for each datagram, allocated once.
struct MessageTable: ~Copyable {
    static let controlSize = Int(CLINUX_CONTROL_SIZE)

    let capacity: Int
    let messages: UnsafeMutablePointer<clinux_message>
    let vectors: UnsafeMutablePointer<iovec>
    private let names: UnsafeMutableRawPointer
    private let controls: UnsafeMutableRawPointer

    init(capacity: Int) {
        self.capacity = capacity
        messages = .allocate(capacity: capacity)
        vectors = .allocate(capacity: capacity)
        names = .allocate(byteCount: capacity * SocketAddress.size, alignment: 8)
        controls = .allocate(byteCount: capacity * Self.controlSize, alignment: 16)
        names.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * SocketAddress.size)
        controls.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * Self.controlSize)
        vectors.initialize(repeating: iovec(), count: capacity)
        messages.initialize(repeating: clinux_message(), count: capacity)
        for i in 0..<capacity {
            messages[i].header.msg_name = name(i).baseAddress
            messages[i].header.msg_iov = vectors + i
            messages[i].header.msg_iovlen = 1
            messages[i].header.msg_control = controls + i * Self.controlSize
            prepareToReceive(i)
        }
    }

    deinit {
        messages.deallocate()
        vectors.deallocate()
        names.deallocate()
        controls.deallocate()
    }

    /// The `i`-th row's socket address.
    func name(_ i: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: names + i * SocketAddress.size, count: SocketAddress.size)
    }

    /// Restores the row's buffer lengths, which the kernel set to the lengths it wrote.
    func prepareToReceive(_ i: Int) {
        messages[i].header.msg_namelen = socklen_t(SocketAddress.size)
        messages[i].header.msg_controllen = Self.controlSize
    }

    /// Fills the row with adjacent datagrams of an outbox; all but the last have `segmentSize` bytes, and nil
    /// means that there is only one. `ecn` goes into the IP header's ECN field.
    func prepareToSend(
        _ i: Int, _ bytes: UnsafeMutableRawBufferPointer, segmentSize: Int?, ecn: UInt8, to link: Link
    ) {
        prepareAddresses(i, bytes, to: link)
        if let segmentSize {
            messages[i].header.msg_control = controls + i * Self.controlSize
            clinux_set_segment_size(&messages[i].header, UInt16(segmentSize))
        }
        if ecn != 0 {
            messages[i].header.msg_control = controls + i * Self.controlSize
            clinux_set_ecn(&messages[i].header, ecn, link.remote.address.family == .v4 ? 4 : 6)
        }
    }

    private func prepareAddresses(_ i: Int, _ bytes: UnsafeMutableRawBufferPointer, to link: Link) {
        vectors[i] = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
        messages[i].header.msg_namelen = SocketAddress.write(link.remote, to: name(i))
        guard let local = link.local else {
            messages[i].header.msg_controllen = 0
            return
        }
        messages[i].header.msg_control = controls + i * Self.controlSize
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { address in
            local.write(to: address)
            clinux_set_source(
                &messages[i].header, address.baseAddress, Int32(local.byteCount),
                local.isLinkLocal && local.family == .v6 ? link.remote.zone : 0)
        }
    }

    /// The local address to which the row's datagram was sent.
    func localAddress(_ i: Int) -> IPAddress? {
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { address in
            switch clinux_local_address(&messages[i].header, address.baseAddress) {
            case 4: IPAddress(.v4, bytes: UnsafeRawBufferPointer(address))
            case 16: IPAddress(.v6, bytes: UnsafeRawBufferPointer(address))
            default: nil
            }
        }
    }
}
