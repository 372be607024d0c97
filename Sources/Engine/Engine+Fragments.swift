import Packet
import Scheduler

// IPv4 packets without DF that fit no path are fragmented. The server's interface keeps one MTU for all
// clients, so its kernel cannot know how little a client's paths carry.
extension Engine {
    /// Fragments a packet that fits no path, if that is allowed. Its slot is then consumed.
    mutating func sendCut(
        _ slot: Slot, _ note: PacketNotes.Note, in session: UnsafeMutablePointer<Session>, now: Instant
    ) -> Bool {
        let limit = session.pointee.reach.largest
        guard resources.pool.length(of: slot) > limit,
            var fragments = Fragments(
                of: UnsafeRawBufferPointer(resources.pool.packet(in: slot)), limit: limit)
        else { return false }
        // The checksum covers the whole packet, so no later hop can complete it.
        if note.hasPartialChecksum { finishChecksum(of: resources.pool.packet(in: slot)) }
        var own = note
        own.hasPartialChecksum = false
        while true {
            let piece = resources.pool.reserve()
            guard piece != .none else {
                resources.drops.noBuffer += 1
                break
            }
            guard let length = fragments.writeNext(to: resources.pool.room(of: piece)) else {
                resources.pool.release(piece)
                break
            }
            resources.pool.setLength(length, of: piece)
            resources.notes[piece] = own
            session.pointee.enqueue(piece, length: length, &resources, now: now)
        }
        resources.pool.release(slot)
        return true
    }

    private func finishChecksum(of packet: UnsafeMutableRawBufferPointer) {
        let start = Int(packet[0] & 15) * 4
        switch packet[9] {
        case 6: Checksum.complete(packet, start: start, offset: 16, isUDP: false)
        case 17: Checksum.complete(packet, start: start, offset: 6, isUDP: true)
        default: break
        }
    }
}
