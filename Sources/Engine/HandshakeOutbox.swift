import Packet
import Proto

/// Datagrams of handshakes that wait for the next flush, first in first out. Beyond its bound they are dropped, as their
/// senders try again.
struct HandshakeOutbox: ~Copyable {
    /// A whole batch of received datagrams, 256, from strangers can be answered in a turn, so that an honest one among them is.
    private static let capacity = 512
    /// Places that answers to strangers leave free, for the responses of a whole turn (`HandshakeInbox.perTurn`).
    private static let reserve = 32

    private var waiting = DatagramRing<Link>(capacity: capacity)

    /// Whether there is room for an answer that anybody can ask for: a cookie, a refusal, a version. To be asked before
    /// it is made.
    var hasRoomForAnybody: Bool { waiting.count < Self.capacity - Self.reserve }

    /// Adds a datagram.
    mutating func append(_ bytes: UnsafeRawBufferPointer, to link: Link) { _ = waiting.append(bytes, link) }

    /// Moves all datagrams to the outbox; false when it is full.
    mutating func flush(into outbox: inout Outbox) -> Bool {
        while let (datagram, link) = waiting.first {
            guard let room = outbox.reserve(datagram.count) else { return false }
            room.copyMemory(from: datagram)
            outbox.commit(datagram.count, to: link)
            waiting.removeFirst()
        }
        return true
    }
}
