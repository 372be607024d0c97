import CLinux

/// Buffers for a batch of datagrams, with the structures for sendmmsg and recvmmsg.
struct PacketBatch: ~Copyable {
    /// Maximum number of datagrams.
    let capacity: Int
    /// The size of each in bytes.
    let size: Int
    /// For sendmmsg and recvmmsg.
    let messages: UnsafeMutablePointer<clinux_message>
    private let vectors: UnsafeMutablePointer<iovec>
    private let bytes: UnsafeMutableRawPointer

    init(capacity: Int, size: Int) {
        self.capacity = capacity
        self.size = size
        bytes = .allocate(byteCount: capacity * size, alignment: 8)
        bytes.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * size)
        vectors = .allocate(capacity: capacity)
        messages = .allocate(capacity: capacity)
        for i in 0..<capacity {
            vectors.advanced(by: i).initialize(to: iovec(iov_base: bytes + i * size, iov_len: size))
            var message = clinux_message()
            message.header.msg_iov = vectors + i
            message.header.msg_iovlen = 1
            messages.advanced(by: i).initialize(to: message)
        }
    }

    deinit {
        messages.deallocate()
        vectors.deallocate()
        bytes.deallocate()
    }

    /// The mark and the number of datagram `index`, its first 8 bytes.
    func stamp(of index: Int) -> (mark: UInt32, number: UInt32) {
        let at = index * size
        return (
            bytes.load(fromByteOffset: at, as: UInt32.self),
            bytes.load(fromByteOffset: at + 4, as: UInt32.self)
        )
    }

    /// Writes the mark and number of datagram `index`.
    func setStamp(of index: Int, _ mark: UInt32, _ number: UInt32) {
        let at = index * size
        bytes.storeBytes(of: mark, toByteOffset: at, as: UInt32.self)
        bytes.storeBytes(of: number, toByteOffset: at + 4, as: UInt32.self)
    }
}
