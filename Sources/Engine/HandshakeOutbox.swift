import Packet
import Proto

/// Datagrams of handshakes that wait for the next flush. They are rare, so an array does; beyond 64 the rest is dropped,
/// as its senders try again.
struct HandshakeOutbox {
    private var waiting: [(link: Link, bytes: [UInt8])] = []

    /// Adds a datagram.
    mutating func append(_ bytes: UnsafeRawBufferPointer, to link: Link) {
        guard waiting.count < 64 else { return }
        waiting.append((link, [UInt8](bytes)))
    }

    /// Moves all datagrams to the outbox; false when it is full.
    mutating func flush(into outbox: inout Outbox) -> Bool {
        while let datagram = waiting.last {
            guard let room = outbox.reserve(datagram.bytes.count) else { return false }
            room.copyBytes(from: datagram.bytes)
            outbox.commit(datagram.bytes.count, to: datagram.link)
            waiting.removeLast()
        }
        return true
    }
}
