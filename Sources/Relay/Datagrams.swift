import CLinux
import Glibc
import Packet
import Transport

/// Buffers for the datagrams received by one system call, from which they are forwarded.
struct Datagrams: ~Copyable {
    /// Maximum number of datagrams in a batch.
    static let capacity = 32
    private static let size = 65_536

    private let messages: UnsafeMutablePointer<clinux_message>
    private let vectors: UnsafeMutablePointer<iovec>
    private let names: UnsafeMutableRawBufferPointer
    private let controls: UnsafeMutableRawBufferPointer
    private let bytes: UnsafeMutableRawBufferPointer

    /// Allocates the buffers; the kernel maps the pages on first write.
    init() {
        messages = .allocate(capacity: Self.capacity)
        messages.initialize(repeating: clinux_message(), count: Self.capacity)
        vectors = .allocate(capacity: Self.capacity)
        names = .allocate(byteCount: Self.capacity * SocketAddress.size, alignment: 8)
        names.initializeMemory(as: UInt8.self, repeating: 0)
        controls = .allocate(byteCount: Self.capacity * Int(CLINUX_CONTROL_SIZE), alignment: 16)
        controls.initializeMemory(as: UInt8.self, repeating: 0)
        bytes = .allocate(byteCount: Self.capacity * Self.size, alignment: 4096)
        for index in 0..<Self.capacity {
            vectors[index] = iovec(iov_base: bytes.baseAddress! + index * Self.size, iov_len: Self.size)
            messages[index].header.msg_iov = vectors + index
            messages[index].header.msg_iovlen = 1
        }
    }

    deinit {
        messages.deallocate()
        vectors.deallocate()
        names.deallocate()
        controls.deallocate()
        bytes.deallocate()
    }

    /// Receives pending datagrams, up to `capacity`.
    /// - Returns: their number, or a negative errno.
    mutating func receive(_ socket: Int32) -> Int {
        for index in 0..<Self.capacity {
            vectors[index].iov_len = Self.size
            messages[index].header.msg_name = name(index)
            messages[index].header.msg_namelen = socklen_t(SocketAddress.size)
            messages[index].header.msg_control = control(index)
            messages[index].header.msg_controllen = Int(CLINUX_CONTROL_SIZE)
        }
        let count = Int(clinux_receive(socket, messages, UInt32(Self.capacity)))
        for index in 0..<max(0, count) { vectors[index].iov_len = Int(messages[index].length) }
        return count
    }

    /// The length of a datagram in bytes.
    func length(of index: Int) -> Int { vectors[index].iov_len }

    /// A datagram's bytes.
    func payload(_ index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: vectors[index].iov_base, count: vectors[index].iov_len)
    }

    /// The sender of a received datagram.
    func source(of index: Int) -> Endpoint? {
        SocketAddress.read(UnsafeRawBufferPointer(start: name(index), count: SocketAddress.size))
    }

    /// Whether two received datagrams have the same sender and the same destination address.
    func isSameFlow(_ one: Int, _ other: Int) -> Bool {
        memcmp(name(one), name(other), Int(messages[one].header.msg_namelen)) == 0
            && messages[one].header.msg_controllen == messages[other].header.msg_controllen
            && memcmp(control(one), control(other), Int(messages[one].header.msg_controllen)) == 0
    }

    /// The address of this host that a datagram was sent to.
    func destination(of index: Int) -> IPAddress? {
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { address in
            let length = clinux_local_address(
                &messages[index].header, address.baseAddress!.assumingMemoryBound(to: UInt8.self))
            guard length > 0 else { return nil }
            return IPAddress(length == 4 ? .v4 : .v6, bytes: UnsafeRawBufferPointer(address))
        }
    }

    /// Forwards datagrams through a connected socket.
    /// - Returns: the number sent, or a negative errno.
    mutating func send(_ range: Range<Int>, by socket: Int32) -> Int {
        for index in range {
            messages[index].header.msg_name = nil
            messages[index].header.msg_namelen = 0
            messages[index].header.msg_control = nil
            messages[index].header.msg_controllen = 0
        }
        return Int(clinux_send(socket, messages + range.lowerBound, UInt32(range.count)))
    }

    /// Forwards datagrams to an endpoint, from an address of this host.
    /// - Returns: the number sent, or a negative errno.
    mutating func send(_ range: Range<Int>, by socket: Int32, to endpoint: Endpoint, from local: IPAddress)
        -> Int
    {
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { address in
            local.write(to: address)
            for index in range {
                let room = UnsafeMutableRawBufferPointer(start: name(index), count: SocketAddress.size)
                messages[index].header.msg_name = room.baseAddress
                messages[index].header.msg_namelen = SocketAddress.write(endpoint, to: room)
                messages[index].header.msg_control = control(index)
                clinux_set_source(
                    &messages[index].header, address.baseAddress!.assumingMemoryBound(to: UInt8.self),
                    Int32(local.byteCount), endpoint.zone)
            }
        }
        return Int(clinux_send(socket, messages + range.lowerBound, UInt32(range.count)))
    }

    private func name(_ index: Int) -> UnsafeMutableRawPointer {
        names.baseAddress! + index * SocketAddress.size
    }

    private func control(_ index: Int) -> UnsafeMutableRawPointer {
        controls.baseAddress! + index * Int(CLINUX_CONTROL_SIZE)
    }
}
