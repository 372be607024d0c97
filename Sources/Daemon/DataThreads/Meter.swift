import Packet

/// Counts the bytes of a path's sockets as the link's provider does: all datagrams in both directions, with
/// their IP and UDP headers.
package final class Meter {
    private var bytes: UInt64 = 0

    package init() {}

    /// Adds datagrams with `payload` bytes in all.
    func add(datagrams: Int, payload: Int, _ family: IPAddress.Family) {
        // RFC 791, RFC 8200 and RFC 768: 20 or 40 bytes, and 8.
        bytes += UInt64(payload + datagrams * (family == .v4 ? 28 : 48))
    }

    /// Bytes added since the last call.
    func take() -> UInt64 {
        defer { bytes = 0 }
        return bytes
    }
}
