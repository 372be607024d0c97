import Packet
import Proto

/// Handshake datagrams that wait for the next flush, first in, first out. Datagrams beyond the bound are
/// dropped, and their senders try again.
struct HandshakeOutbox: ~Copyable {
    /// Capacity: a whole batch of 256 datagrams received from strangers can be answered in one turn, so that
    /// an honest sender among them is.
    private static let capacity = 512
    /// Places that answers to strangers leave free, for the responses of a whole turn
    /// (`HandshakeInbox.perTurn`).
    private static let reserve = 32

    private var waiting = DatagramRing<Link>(capacity: capacity)

    /// Whether there is room for an answer that anyone can request: a cookie, a refusal, a version. Check
    /// before making it.
    var hasRoomForAnybody: Bool { waiting.count < Self.capacity - Self.reserve }

    /// Adds a datagram.
    mutating func append(_ bytes: UnsafeRawBufferPointer, to link: Link) { _ = waiting.append(bytes, link) }

    /// Moves all datagrams to the outbox; returns false if it is full.
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

extension Engine {
    /// Queues the handshake message in the first `length` bytes of the scratch buffer for the next flush.
    mutating func sendHandshake(_ length: Int, to link: Link) {
        handshakes.append(UnsafeRawBufferPointer(rebasing: resources.scratch[..<length]), to: link)
    }

    /// Server: tells the sender of an init why it is refused. Anyone can provoke that, so the answer needs
    /// room in the outbox.
    /// - Returns: false if there was not enough room, and nothing was sent.
    @discardableResult
    mutating func refuse(
        _ refusal: Refusal, _ responder: borrowing Responder, _ header: Header, to link: Link
    ) -> Bool {
        guard handshakes.hasRoomForAnybody else { return false }
        sendHandshake(responder.writeRefusal(refusal, pathID: header.pathID, to: resources.scratch), to: link)
        return true
    }
}
