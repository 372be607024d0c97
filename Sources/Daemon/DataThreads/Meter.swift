import Packet

/// Counts the bytes of a path's sockets as the link's provider does: all datagrams in both directions, with
/// their IP and UDP headers.
package final class Meter {
    private var bytes: UInt64 = 0

    package init() {}

    /// Adds datagrams with `payload` bytes in all.
    func add(datagrams: Int, payload: Int, _ family: IPAddress.Family) {
        bytes += UInt64(payload + datagrams * family.outerHeaders)
    }

    /// Bytes added since the last call.
    func take() -> UInt64 {
        defer { bytes = 0 }
        return bytes
    }
}
