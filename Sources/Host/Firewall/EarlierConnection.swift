import Packet
import Runtime
import Settings

/// An inbound TCP connection to a service of this host, such as the SSH session in which bondd is started.
package struct EarlierConnection: Hashable, Sendable {
    /// This host's address.
    package let local: IPAddress
    /// This host's port.
    package let port: UInt16
    /// The peer's address.
    package let remote: IPAddress

    /// Limits on the kernel's list in bytes, some 6000 connections, and on the connections kept.
    private static let limit = 1 << 20
    private static let most = 64

    /// The established connections, at most 64, from the kernel's list.
    package static func list() -> [EarlierConnection] {
        let texts = ["tcp", "tcp6"].map {
            (try? TextFile.read("/proc/thread-self/net/\($0)", limit: limit)) ?? ""
        }
        return list(texts)
    }

    /// The connections in texts formatted like /proc/net/tcp and /proc/net/tcp6.
    static func list(_ texts: [String]) -> [EarlierConnection] {
        var listening: Set<UInt16> = []
        var established: [EarlierConnection] = []
        for line in texts.joined(separator: "\n").split(separator: "\n") {
            // Columns: sl, local address, remote address, state (01 is established, 0A listening).
            let words = line.split(separator: " ", maxSplits: 4)
            guard words.count > 3, let local = place(words[1]), let remote = place(words[2]) else { continue }
            if words[3] == "0A" { listening.insert(local.port) }
            guard words[3] == "01", !remote.address.isLoopback else { continue }
            established.append(
                EarlierConnection(local: local.address, port: local.port, remote: remote.address))
        }
        var found: [EarlierConnection] = []
        for connection in established where listening.contains(connection.port) && found.count < most {
            if !found.contains(connection) { found.append(connection) }
        }
        return found
    }

    /// Parses an address and port: 32-bit words in host order, in hexadecimal.
    private static func place(_ text: Substring) -> (address: IPAddress, port: UInt16)? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, [8, 32].contains(parts[0].count), let port = UInt16(parts[1], radix: 16)
        else {
            return nil
        }
        var words: [UInt32] = []
        var rest = parts[0]
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            words.append(UInt32(bigEndian: word))
            rest = rest.dropFirst(8)
        }
        if words.count == 1 { return (IPAddress(v4: words[0]), port) }
        // IPv4 over an IPv6 socket (RFC 4291 section 2.5.5.2).
        if words[0] == 0 && words[1] == 0 && words[2] == 0xFFFF { return (IPAddress(v4: words[3]), port) }
        let (high, low) = (
            UInt64(words[0]) << 32 | UInt64(words[1]), UInt64(words[2]) << 32 | UInt64(words[3])
        )
        return (IPAddress(v6High: high, low: low), port)
    }
}
