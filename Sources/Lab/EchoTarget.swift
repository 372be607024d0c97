import Glibc

/// The target of echo requests, and the differences between ICMP (RFC 792) and ICMPv6 (RFC 4443).
struct EchoTarget: Sendable {
    private let isIPv6: Bool
    private let bytes: [UInt8]

    /// Throws `badAddress`.
    init(_ text: String) throws(LabError) {
        var bytes = [UInt8](repeating: 0, count: 16)
        isIPv6 = text.contains(":")
        guard inet_pton(isIPv6 ? AF_INET6 : AF_INET, text, &bytes) == 1 else { throw .badAddress(text) }
        self.bytes = Array(bytes.prefix(isIPv6 ? 16 : 4))
    }

    /// A raw socket for it. Throws `system` or `badAddress`.
    func open(in namespace: Namespace, interface: String?, source: String?) throws(LabError) -> Int32 {
        let type = Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let network = isIPv6 ? Int32(IPPROTO_ICMPV6) : Int32(IPPROTO_ICMP)
        let fd = namespace.inside { socket(isIPv6 ? AF_INET6 : AF_INET, type, network) }
        guard fd >= 0 else { throw .system(call: "opening a raw socket", errno: errno) }
        var error: (call: String, errno: Int32)?
        if let interface,
            setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, socklen_t(interface.utf8.count)) != 0
        {
            error = ("binding to interface \(interface)", errno)
        }
        if error == nil, let source {
            let own = try EchoTarget(source)
            if own.isIPv6 != isIPv6 || own.withAddress({ bind(fd, $0, $1) }) != 0 {
                error = ("binding to address \(source)", errno)
            }
        }
        if let error {
            close(fd)
            throw .system(call: error.call, errno: error.errno)
        }
        return fd
    }

    /// Writes an echo request's header of 8 bytes; the payload stays unchanged.
    func writeRequest(_ identifier: UInt16, sequence: UInt16, into packet: inout [UInt8]) {
        packet[0] = isIPv6 ? 128 : 8
        for (at, value) in [(2, 0), (4, identifier), (6, sequence)] {
            packet[at] = UInt8(value >> 8)
            packet[at + 1] = UInt8(truncatingIfNeeded: value)
        }
        if isIPv6 { return }  // the kernel computes it, as it covers the addresses
        let sum = Self.checksum(packet)
        packet[2] = UInt8(sum >> 8)
        packet[3] = UInt8(truncatingIfNeeded: sum)
    }

    /// Sends it; an error counts as a loss.
    func send(_ packet: [UInt8], on fd: Int32) {
        _ = withAddress { sendto(fd, packet, packet.count, 0, $0, $1) }
    }

    /// The sequence number of the next answer to this identifier; nil if there is none.
    func receive(_ identifier: UInt16, on fd: Int32) -> UInt16? {
        var packet = [UInt8](repeating: 0, count: 65_536)
        while true {
            var from = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let count = withUnsafeMutablePointer(to: &from) { from in
                from.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(fd, &packet, packet.count, 0, $0, &length)
                }
            }
            if count < 0 { return nil }
            // IPv4 packets include the IP header, IPv6 packets do not.
            let start = isIPv6 ? 0 : Int(packet[0] & 15) * 4
            guard count >= start + 8, packet[start] == (isIPv6 ? 129 : 0), isSender(from),
                UInt16(packet[start + 4]) << 8 | UInt16(packet[start + 5]) == identifier
            else { continue }
            return UInt16(packet[start + 6]) << 8 | UInt16(packet[start + 7])
        }
    }

    private func isSender(_ address: sockaddr_storage) -> Bool {
        let at = isIPv6 ? 8 : 4
        return withUnsafeBytes(of: address) { $0[at..<at + bytes.count].elementsEqual(bytes) }
    }

    /// The Internet checksum (RFC 1071).
    static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for i in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[i]) << 8 | (i + 1 < bytes.count ? UInt32(bytes[i + 1]) : 0)
        }
        while sum > 0xFFFF { sum = (sum & 0xFFFF) + (sum >> 16) }
        return ~UInt16(sum)
    }

    private func withAddress<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        var storage = sockaddr_storage()
        storage.ss_family = sa_family_t(isIPv6 ? AF_INET6 : AF_INET)
        withUnsafeMutableBytes(of: &storage) {
            $0.baseAddress!.advanced(by: isIPv6 ? 8 : 4).copyMemory(from: bytes, byteCount: bytes.count)
        }
        let length = isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
        return withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(length)) }
        }
    }
}
