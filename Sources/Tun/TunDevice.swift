import CLinux
import Glibc

/// A TUN interface and its descriptor, or one of its queues. The interface exists as long as any of them is open.
///
/// Address, MTU and the up flag are set through netlink, by `index`. Until it is up, writes fail with EIO.
public struct TunDevice: ~Copyable {
    /// The interface's name.
    public let name: String
    /// The interface's index.
    public let index: UInt32
    /// The descriptor, nonblocking and close-on-exec, for epoll.
    public let fileDescriptor: Int32
    /// The offloads in use.
    public let offloads: TunOffloads

    /// Maximum size of one read: a packet of 64 KiB with its offload header.
    public static let maximumRead = 65536 + OffloadHeader.size

    /// Creates a TUN interface (layer 3, no packet information header) with that name, which must be free.
    /// - Parameters:
    ///   - wanted: the offloads to use if the kernel supports them; without any, packets are as on a wire.
    ///   - mayHaveQueues: whether it may have more than one queue, of which this is the first.
    /// - Throws: `TunError`, which says who uses the name or what the process lacks.
    public init(
        name: String, offloads wanted: TunOffloads = .all, mayHaveQueues: Bool = false
    ) throws(TunError) {
        guard Self.isUsable(name) else { throw .badName(name) }
        var given = [CChar](repeating: 0, count: 16)
        let descriptor = clinux_tun_open(name, &given, wanted.isEmpty ? 0 : 1, mayHaveQueues ? 1 : 0)
        guard descriptor >= 0 else { throw TunError(errno: -descriptor, name: name) }
        let index = if_nametoindex(given)
        guard index != 0 else {
            let code = errno
            close(descriptor)
            throw TunError.failed(name, errno: code)
        }
        offloads = TunOffloads.probe(wanted) { clinux_tun_set_offload(descriptor, $0) == 0 }
        hasHeaders = !wanted.isEmpty
        self.name = name
        self.index = index
        fileDescriptor = descriptor
    }

    private init(queueOf first: borrowing TunDevice, descriptor: Int32) {
        name = first.name
        index = first.index
        offloads = first.offloads
        hasHeaders = first.hasHeaders
        fileDescriptor = descriptor
    }

    /// Opens another queue of an interface that may have them. The kernel delivers a flow's packets to the
    /// queue that last wrote one of that flow, and those of an unknown flow to any.
    /// - Throws: `TunError`
    public borrowing func makeQueue() throws(TunError) -> TunDevice {
        let descriptor = clinux_tun_open_queue(name, hasHeaders ? 1 : 0)
        guard descriptor >= 0 else { throw .failed(name, errno: -descriptor) }
        return TunDevice(queueOf: self, descriptor: descriptor)
    }

    /// Whether each packet is preceded by an offload header.
    let hasHeaders: Bool

    deinit { close(fileDescriptor) }

    /// Reads one packet, which with offloads may have to be cut; it stays in `buffer`. Nil if there is none at
    /// present.
    /// - Parameter buffer: `maximumRead` bytes.
    public borrowing func read(into buffer: UnsafeMutableRawBufferPointer) -> Superpacket? {
        while true {
            let count = readBytes(into: buffer)
            guard count > 0 else { return nil }
            let skip = hasHeaders ? OffloadHeader.size : 0
            guard count > skip else { continue }
            let header =
                hasHeaders ? OffloadHeader(reading: UnsafeRawBufferPointer(buffer)) : OffloadHeader()
            // An inconsistent packet is ignored.
            if let header, let packet = Superpacket(header, buffer.slice(skip, count - skip)) {
                return packet
            }
        }
    }

    /// Reads from the kernel: the number of bytes, 0 for nothing, or a negative errno.
    borrowing func readBytes(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = Glibc.read(fileDescriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            let code = errno
            if code == EINTR { continue }
            return code == EAGAIN ? 0 : -Int(code)
        }
    }

    /// Writes one inner packet to a device without headers; returns its length in bytes, or a negative errno.
    /// ENOBUFS (no memory), EINVAL (not an IP packet) and EIO (interface down) mean that this packet is lost.
    borrowing func write(_ packet: UnsafeRawBufferPointer) -> Int {
        var piece = iovec(
            iov_base: UnsafeMutableRawPointer(mutating: packet.baseAddress), iov_len: packet.count)
        return write(&piece, count: 1)
    }

    /// Writes one packet in pieces; the first piece is the offload header if the device has one.
    borrowing func write(_ pieces: UnsafePointer<iovec>, count pieceCount: Int) -> Int {
        while true {
            let count = writev(fileDescriptor, pieces, Int32(pieceCount))
            if count >= 0 { return count }
            let code = errno
            if code != EINTR { return -Int(code) }
        }
    }

    /// Whether the kernel accepts the name. It would take a `%` as a pattern, and refuses other characters with
    /// the same EINVAL as a taken name.
    private static func isUsable(_ name: String) -> Bool {
        let bytes = name.utf8
        guard (1...15).contains(bytes.count), name != ".", name != ".." else { return false }
        return bytes.allSatisfy { $0 > 32 && $0 < 127 && $0 != 0x2F && $0 != 0x25 && $0 != 0x3A }
    }
}
