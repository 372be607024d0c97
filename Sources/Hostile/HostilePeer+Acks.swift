import Packet
import Proto

// ACKs, true or not.
extension HostilePeer {
    /// Acknowledges the datagrams that arrived on a path, or pretends that they did.
    func acknowledge(_ index: Int, now: Instant) {
        paths[index].owesAck = false
        guard var ack = paths[index].ack(now: now, clock: clock) else { return }
        let isLying = now >= honestUntil && keys != nil
        // Datagrams moved away from a path that is down, and never acknowledged, stay in its ring.
        if isLying && lie == .statusFlaps && random.next() & 31 != 0 { return }
        var arrival = index
        if isLying {
            distort(&ack, of: index, now: now)
            if lie == .silentAddress && index == 0 && paths.count > 1 { arrival = 1 }
        }
        send(.control, Self.payload([.ack(ack)]), on: arrival)
    }

    /// Puts the lie, if it is one of ACKs, into a true ACK.
    private func distort(_ ack: inout AckFrame, of index: Int, now: Instant) {
        switch lie {
        case .optimisticAcks:
            // As far ahead as fits into a round trip of a faster path, with sizes of the average.
            let ahead = [1, 4, 16, 64, 512, 4096][Int(trait % 6)] as UInt64
            anticipate(ack.highest + UInt64.random(in: 1...ahead, using: &random), &ack, of: index)
        case .scaledCounts:
            let factor = [1.001, 1.05, 2, 1e3, 1e9, 1e14][Int(trait % 6)]
            let claim = paths[index].claim
            let grown = Double(ack.bytesReceived) * factor
            paths[index].claim.bytes = max(claim.bytes, UInt64(min(grown, 9e18)))
            ack.bytesReceived = paths[index].claim.bytes
            if trait >> 8 & 1 == 1 {
                ack.packetsReceived = UInt64(min(Double(ack.packetsReceived) * factor, 9e18))
            }
            // A standing queue, so that the sender believes the arrivals rather than its own count.
            ack.receiveTime &+= ack.packetsReceived &* 100
        case .driftingTimes:
            let since = UInt64(max((now - honestUntil).microseconds, 0))
            switch trait % 5 {
            case 0: ack.receiveTime &+= since
            case 1: ack.receiveTime &+= since &* 1000
            case 2: ack.receiveTime = ack.receiveTime > since / 2 ? ack.receiveTime - since / 2 : 0
            case 3: ack.receiveTime = random.next() >> UInt64.random(in: 12...40, using: &random)
            default: ack.receiveTime = since < 1_000_000 ? 0 : (1 << 50) - 1 - since % 1000
            }
            if trait >> 8 & 1 == 1 { ack.delay = UInt32(truncatingIfNeeded: random.next()) }
        case .unsentAcks:
            // Mostly true, or there would be nothing but new sessions.
            guard random.next() & 63 == 0 else { return }
            ack.highest &+= 1 << UInt64.random(in: 0...46, using: &random)
            ack.map = (random.next(), random.next(), random.next(), random.next())
        case .silentAddress where index == 0: feign(&ack, now: now)
        default: break
        }
    }

    /// Claims all numbers up to one that may not have arrived.
    private func anticipate(_ highest: UInt64, _ ack: inout AckFrame, of index: Int) {
        let size = ack.bytesReceived / max(ack.packetsReceived, 1)
        let more = highest - ack.highest
        paths[index].claim.highest = max(paths[index].claim.highest, highest)
        ack.highest = paths[index].claim.highest
        ack.map = (.max, .max, .max, .max)
        ack.packetsReceived += more
        ack.bytesReceived += more * size
    }

    /// From here on the first path hears nothing more, and continues to acknowledge: all numbers seen on the
    /// wire, or a guess by the rate that it had.
    private func feign(_ ack: inout AckFrame, now: Instant) {
        let lead = now - honestUntil
        guard lead >= .seconds(1) || silentSince != nil else { return }
        var claim = paths[0].claim
        if silentSince == nil {
            silentSince = now
            (claim.highest, claim.packets, claim.bytes) = (
                ack.highest, ack.packetsReceived, ack.bytesReceived
            )
            claim.rate = Double(ack.packetsReceived) / max(lead.seconds + 0.3, 0.1)
        }
        guard let since = silentSince, claim.highest > 0 else { return }
        let share = [0, 0.5, 0, 0.9, 0, 1][Int(trait % 6)]
        let guess = UInt64((now - since).seconds * claim.rate * share)
        let more = share == 0 ? claim.seen - min(claim.seen, claim.highest) : guess
        ack.highest = claim.highest + more
        ack.map = (.max, .max, .max, .max)
        ack.packetsReceived = claim.packets + more
        ack.bytesReceived = claim.bytes + more * (claim.bytes / max(claim.packets, 1))
        ack.receiveTime = now.microseconds &+ clock
        ack.delay = 0
        paths[0].claim = claim
    }
}
