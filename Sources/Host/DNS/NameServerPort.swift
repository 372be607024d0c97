import Runtime
import Settings

/// Port 53 of this host.
package enum NameServerPort {
    /// Whether a program on this host serves DNS to others: a UDP socket is bound to port 53 of a non-loopback
    /// address. (systemd-resolved's stub at 127.0.0.53 serves only this host.)
    package static func isServed() -> Bool {
        ["udp", "udp6"].contains { table in
            guard let text = try? TextFile.read("/proc/thread-self/net/\(table)", limit: 1 << 20) else {
                return false
            }
            return isServed(table: text)
        }
    }

    /// Checks the text of /proc/net/udp or udp6, whose second column is `ADDRESS:PORT` in hexadecimal, with the
    /// address in words of the host's byte order.
    static func isServed(table text: String) -> Bool {
        text.split(separator: "\n").dropFirst().contains { line in
            let columns = line.split(separator: " ", omittingEmptySubsequences: true)
            guard columns.count > 1 else { return false }
            let parts = columns[1].split(separator: ":")
            guard parts.count == 2, parts[1] == "0035" else { return false }
            let isLoopback =
                parts[0].count == 8
                ? parts[0].hasSuffix("7F") : parts[0] == "00000000000000000000000001000000"
            return !isLoopback
        }
    }
}
