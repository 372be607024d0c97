import CLinux
import Glibc
import Packet

/// A socket of a test, which blocks for at most 10 seconds.
final class Wire: @unchecked Sendable {
    let descriptor: Int32

    init(_ descriptor: Int32) {
        precondition(descriptor >= 0, "no socket")
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        setPatience(milliseconds: 10_000)
    }

    deinit { close(descriptor) }

    /// Sets the timeout of reading and writing.
    func setPatience(milliseconds: Int) {
        var time = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// A socket bound to a loopback address; for port 0 the kernel chooses one.
    static func bound(_ transport: Int32 = 1, port: UInt16 = 0, v6: Bool = false, address: String? = nil)
        -> Wire?
    {
        let descriptor = clinux_socket(v6 ? 6 : 4, transport)
        if v6 { _ = clinux_set_option(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        _ = clinux_set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        let code = withAddress(IPAddress(address ?? (v6 ? "::1" : "127.0.0.1"))!, port) {
            bind(descriptor, $0, $1)
        }
        let wire = Wire(descriptor)
        return code == 0 ? wire : nil
    }

    /// A connection to a port of this host; nil if it is refused.
    static func connected(
        _ port: UInt16, tcp: Bool = true, v6: Bool = false, from: String? = nil, address: String? = nil
    ) -> Wire? {
        let wire: Wire
        if let from {
            wire = bound(tcp ? 1 : 0, v6: v6, address: from)!
        } else {
            wire = Wire(clinux_socket(v6 ? 6 : 4, tcp ? 1 : 0))
        }
        let code = withAddress(IPAddress(address ?? (v6 ? "::1" : "127.0.0.1"))!, port) {
            connect(wire.descriptor, $0, $1)
        }
        return code == 0 ? wire : nil
    }

    /// The port that it is bound to.
    var port: UInt16 {
        var bytes = [UInt8](repeating: 0, count: 28)
        var length = socklen_t(28)
        bytes.withUnsafeMutableBytes {
            _ = getsockname(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
        }
        return UInt16(bytes[2]) << 8 | UInt16(bytes[3])
    }

    /// A port that was free a moment ago, followed by others that were.
    static func freePort(count: UInt16 = 1, tcp: Bool = true) -> UInt16 {
        while true {
            let first = bound(tcp ? 1 : 0)!.port
            guard first < 65_000 else { continue }
            if (0..<count).allSatisfy({ bound(tcp ? 1 : 0, port: first + $0, address: "0.0.0.0") != nil }) {
                return first
            }
        }
    }

    /// Writes all of it; returns false if that fails.
    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// The next bytes; empty at the end of stream, nil on an error in errno.
    func read(_ most: Int = 65_536) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: most)
        let count = recv(descriptor, &bytes, most, 0)
        return count < 0 ? nil : Array(bytes[..<count])
    }

    /// That many bytes, or fewer at the end of stream.
    func read(exactly wanted: Int) -> [UInt8] {
        var all: [UInt8] = []
        while all.count < wanted, let more = read(min(65_536, wanted - all.count)), !more.isEmpty {
            all += more
        }
        return all
    }

    /// All remaining bytes, and whether the stream ended regularly.
    func readAll() -> (bytes: [UInt8], isEnd: Bool) {
        var all: [UInt8] = []
        while let more = read() {
            if more.isEmpty { return (all, true) }
            all += more
        }
        return (all, false)
    }

    /// Sends an end of stream.
    func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Makes the socket reset its connection when it is closed.
    func resetsWhenClosed() {
        var abort = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &abort, socklen_t(MemoryLayout<linger>.size))
    }

    static func withAddress(
        _ address: IPAddress, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    )
        -> Int32
    {
        var bytes = [UInt8](repeating: 0, count: 28)
        return bytes.withUnsafeMutableBytes { room in
            room.storeBytes(of: sa_family_t(address.family == .v4 ? AF_INET : AF_INET6), as: sa_family_t.self)
            room.storeBigEndian(port, at: 2)
            let offset = address.family == .v4 ? 4 : 8
            address.write(to: UnsafeMutableRawBufferPointer(rebasing: room[offset...]))
            return body(
                room.baseAddress!.assumingMemoryBound(to: sockaddr.self), address.family == .v4 ? 16 : 28)
        }
    }
}
