import Glibc
import Lab

/// Bytes sent by a server over a connection, each checked on arrival.
struct Download {
    private let probe: TCPProbe
    private let bytes: Int
    /// A prime: bytes lost, duplicated or out of order by whole segments break the pattern.
    private static let block = 65_521
    private let pattern: [UInt8]

    init(_ probe: TCPProbe, bytes: Int) {
        (self.probe, self.bytes) = (probe, bytes)
        pattern = (0..<Self.block).map { UInt8(truncatingIfNeeded: ($0 &* 0x9E37_79B9_7F4A_7C1) >> 40) }
    }

    /// Whether all bytes arrive unchanged, with at most 10 s of silence.
    /// - Parameter moment: the number of bytes after which `event` happens.
    func run(at moment: Int, _ event: () -> Void) -> Bool {
        let (client, server) = probe.ends
        var (sent, received) = (0, 0)
        var hasHappened = false
        var chunk = [UInt8](repeating: 0, count: Self.block)
        while received < bytes {
            if !hasHappened && received >= moment {
                hasHappened = true
                event()
            }
            var ends = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server, events: sent < bytes ? Int16(POLLOUT) : 0, revents: 0),
            ]
            guard poll(&ends, 2, 10_000) > 0 else { return false }
            if ends[1].revents & Int16(POLLOUT) != 0 {
                let start = sent % Self.block
                let wanted = min(Self.block - start, bytes - sent)
                let count = pattern.withUnsafeBytes {
                    send(server, $0.baseAddress! + start, wanted, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return false }
                sent += count
            }
            if ends[0].revents & Int16(POLLIN) != 0 {
                let start = received % Self.block
                let count = recv(client, &chunk, Self.block - start, 0)
                guard count > 0 else { return false }
                let isSame = pattern.withUnsafeBytes { memcmp($0.baseAddress! + start, chunk, count) == 0 }
                guard isSame else { return false }
                received += count
            }
        }
        return hasHappened
    }
}
