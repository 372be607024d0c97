import CLinux
import Glibc

/// A TUN interface and its descriptor. The interface lives as long as the value.
///
/// Address, MTU and the up flag are set through netlink, by `index`. Until it is up, writes fail with EIO.
public struct TunDevice: ~Copyable {
    /// The interface's name.
    public let name: String
    /// The interface's index.
    public let index: UInt32
    /// The descriptor, for epoll; it does not block and is closed on exec.
    public let fileDescriptor: Int32

    /// Makes a TUN interface (layer 3, no packet information header) of that name, which must be free.
    /// - Throws: `TunError`, which says who has the name or what the process lacks.
    public init(name wanted: String) throws(TunError) {
        guard Self.isUsable(wanted) else { throw .badName(wanted) }
        var given = [CChar](repeating: 0, count: 16)
        let descriptor = clinux_tun_open(wanted, &given)
        guard descriptor >= 0 else { throw TunError(errno: -descriptor, name: wanted) }
        let index = if_nametoindex(given)
        guard index != 0 else {
            let code = errno
            close(descriptor)
            throw TunError.failed(wanted, errno: code)
        }
        name = wanted
        self.index = index
        fileDescriptor = descriptor
    }

    deinit { close(fileDescriptor) }

    /// Reads one inner packet: its length in bytes, 0 when there is none now, or a negative errno.
    /// A packet that is longer than `buffer` is cut off: make it as large as the MTU.
    public borrowing func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = Glibc.read(fileDescriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            let code = errno
            if code == EINTR { continue }
            return code == EAGAIN ? 0 : -Int(code)
        }
    }

    /// Hands one inner packet to the kernel: its length in bytes, or a negative errno.
    /// ENOBUFS (no memory), EINVAL (no IP packet) and EIO (interface down) mean that this packet is lost.
    public borrowing func write(_ packet: UnsafeRawBufferPointer) -> Int {
        while true {
            let count = Glibc.write(fileDescriptor, packet.baseAddress, packet.count)
            if count >= 0 { return count }
            let code = errno
            if code != EINTR { return -Int(code) }
        }
    }

    /// The kernel would take a `%` as a pattern, and refuses the others with the same EINVAL as a taken name.
    private static func isUsable(_ name: String) -> Bool {
        let bytes = name.utf8
        guard (1...15).contains(bytes.count), name != ".", name != ".." else { return false }
        return bytes.allSatisfy { $0 > 32 && $0 < 127 && $0 != 0x2F && $0 != 0x25 && $0 != 0x3A }
    }
}
