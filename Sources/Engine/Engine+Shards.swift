import Packet
import Proto
import Scheduler

// Packets and inits that belong to another shard, and those handed over by others.
extension Engine {
    /// Maximum number of forwarded inits that wait; beyond it they are dropped, and their senders try again.
    private static var maximumForwards: Int { 64 }

    /// Sets a packet aside for the shard of its peer.
    mutating func setAside(_ slot: Slot, for owner: Int, hasPartialChecksum: Bool) {
        var note = PacketNotes.Note()
        note.hasPartialChecksum = hasPartialChecksum
        resources.notes[slot] = note
        guard owner < shard.count, strays.append(slot, to: owner) else {
            resources.drops.queueFull += 1
            resources.pool.release(slot)
            return
        }
    }

    /// Whether packets are waiting for that shard.
    public func hasStrays(for owner: Int) -> Bool { !strays.isEmpty(owner) }

    /// The next packet from the TUN device that is for that shard to `send`, or `Slot.none`. The caller
    /// copies it and returns the slot with `release`.
    public mutating func takeStray(for owner: Int) -> (slot: Slot, hasPartialChecksum: Bool) {
        let slot = strays.take(for: owner)
        return (slot, slot != .none && resources.notes[slot].hasPartialChecksum)
    }

    /// Forwards an init that was read here to the peer's shard, which answers it.
    mutating func forward(
        _ datagram: UnsafeRawBufferPointer, to owner: Int, from link: Link, hasCookie: Bool
    ) {
        guard forwards.count < Self.maximumForwards else {
            resources.drops.handshake += 1
            return
        }
        forwards.append(
            ForwardedInit(shard: owner, datagram: [UInt8](datagram), link: link, hasCookie: hasCookie))
    }

    /// The inits for other shards to answer, each with its `receiveForwarded`.
    public mutating func takeForwards() -> [ForwardedInit] {
        if forwards.isEmpty { return [] }
        defer { forwards.removeAll() }
        return forwards
    }

    /// Answers an init that another shard's gatekeeper has admitted. One that is not for a peer of this shard
    /// is dropped.
    /// - Parameters:
    ///   - link: the link by which it reached the other shard; the answer leaves by this shard's socket of
    ///     the same number.
    ///   - hasCookie: whether it returned a cookie, as checked by the other shard.
    public mutating func receiveForwarded(
        _ datagram: UnsafeRawBufferPointer, from link: Link, hasCookie: Bool, now: Instant
    ) {
        guard role == .server, datagram.count == Wire.initSize,
            Header(parsing: datagram)?.kind == .handshakeInit
        else {
            resources.drops.handshake += 1
            return
        }
        let arrival = InitArrival(link: link, hasCookie: hasCookie, isForwarded: true)
        if !inits.append(datagram, arrival) { resources.drops.handshakeFull += 1 }
    }

    /// Whether an init of that peer is answered here. If not, it is forwarded, but never twice.
    mutating func answers(_ peer: Int, _ datagram: UnsafeRawBufferPointer, _ arrival: InitArrival) -> Bool {
        let owner = peers[peer].configuration.shard
        if owner == shard.index { return true }
        if arrival.isForwarded {
            resources.drops.handshake += 1
        } else {
            forward(datagram, to: owner, from: arrival.link, hasCookie: arrival.hasCookie)
        }
        return false
    }
}
