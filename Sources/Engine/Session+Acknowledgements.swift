import Packet
import Proto
import Scheduler

// Acknowledgements, and their consequences for the path.
extension Session {
    /// Applies the peer's report of the datagrams it received on the path at `index`.
    mutating func apply(
        _ ack: AckFrame, to index: Int, cameOn arrival: Int, _ resources: inout Resources, name: String,
        now: Instant
    ) {
        let path = paths[index]
        guard path.pointee.admits(ack) else {
            refuseFalseAck(&resources)
            return
        }
        let map = AckMap(highest: ack.highest, words: ack.map)
        guard
            let news = path.pointee.sent.acknowledge(
                map, reordering: path.pointee.reorderingWindow,
                countsPackets: path.pointee.reordering.value == nil, lost: &lost,
                pool: &resources.pool, notes: resources.notes)
        else { return }
        guard !news.containsSkipped else {
            refuseFalseAck(&resources)
            return
        }
        heed(news, map, on: index, now: now)
        if path.pointee.marks.record(
            markedArrived: news.markedArrived, markedMissed: news.markedMissed,
            plainArrived: news.plainArrived,
            now: now)
        {
            resources.events.append(.marksStopped(peer: name, pathID: path.pointee.id))
        }
        if news.lateness > .zero { path.pointee.reordering.record(news.lateness.nanoseconds, now: now) }
        repair(index, &resources, now: now)
        // The ACK left the peer this long after the datagram it acknowledges arrived: together, the peer's
        // clock at departure.
        let inbound = paths[arrival]
        inbound.pointee.recordInbound(sentAt: ack.receiveTime &+ UInt64(ack.delay), now: now)
        let lost = max(news.lost, 0)
        path.pointee.counters.lost = UInt64(max(Int64(path.pointee.counters.lost) + Int64(news.lost), 0))
        let seen = news.acknowledged + lost
        if seen > 0 {
            // A moving average over about 500 datagrams.
            let weight = min(Double(seen) / 500, 0.5)
            path.pointee.lossRatio += (Double(lost) / Double(seen) - path.pointee.lossRatio) * weight
            if !path.pointee.delay.showsQueue(path.pointee.rtt) {
                // Datagrams that were merely late take their share back.
                let share = Double(news.lost) / Double(seen)
                path.pointee.randomLoss += (share - path.pointee.randomLoss) * weight
                path.pointee.randomLoss = max(path.pointee.randomLoss, 0)
            }
        }
        guard news.acknowledged > 0 else { return }
        if let sentAt = news.highestSent {
            let delay = Interval.microseconds(Int64(ack.delay))
            if index == arrival, now - sentAt >= delay {
                path.pointee.rtt.record(now - sentAt - delay, now: now)
            }
            let received = Instant(nanoseconds: ack.receiveTime &* 1000)
            let isIdle =
                news.starved && sentAt - path.pointee.busyAt > path.pointee.rtt.smoothed + .milliseconds(50)
            path.pointee.delay.record(received - sentAt, idle: isIdle, now: now)
            path.pointee.rate.record(
                sent: sentAt, received: received,
                bytes: ack.bytesReceived &+ ack.packetsReceived &* UInt64(RateModel.datagramOverhead),
                left: news.highestTotal, starved: news.starved, loss: path.pointee.lossRatio,
                delay: path.pointee.delay,
                rtt: path.pointee.rtt, now: now)
            if path.pointee.rate.takeStaleFloor() {
                path.pointee.delay.restartFloor(now: now)
                path.pointee.rtt.restartFloor(now: now)
            }
        }
        // On a path that is down, an ACK for datagrams sent before that proves only the way back.
        if path.pointee.liveness.state == .down {
            guard let sentAt = news.highestSent, sentAt >= path.pointee.liveness.since else { return }
        }
        // Only PONGs decide which of several links works.
        if path.pointee.isSeeking { return }
        // An ACK that arrives by another path proves only the way there; a path that is up has both.
        guard index == arrival || !path.pointee.isDeaf(now: now) else {
            path.pointee.confirmedAt = now
            return
        }
        answered(index, &resources, name: name, now: now)
    }

    /// The ACK for the path at `index`; `nil` before anything has arrived there.
    func ackFrame(_ index: Int, now: Instant) -> AckFrame? {
        paths[index].pointee.received.state.map { frame(of: $0, on: index, now: now) }
    }

    /// The previous ACK again, if so many datagrams have arrived since that the next does not reach far below
    /// it: datagrams that no ACK covers count as lost for the peer, and the previous ACK may itself have been
    /// lost.
    func earlierAckFrame(_ index: Int, now: Instant) -> AckFrame? {
        paths[index].pointee.received.stateToRepeat.map { frame(of: $0, on: index, now: now) }
    }

    private func frame(of state: ReceivedPackets.State, on index: Int, now: Instant) -> AckFrame {
        let path = paths[index]
        return AckFrame(
            pathID: path.pointee.id, highest: state.highest,
            map: path.pointee.replay.map(below: state.highest),
            packetsReceived: state.packets, bytesReceived: state.bytes,
            receiveTime: state.highestTime.microseconds,
            delay: UInt32(clamping: (now - state.highestTime).microseconds))
    }

    /// Ends the session after an ACK with an impossible claim.
    private mutating func refuseFalseAck(_ resources: inout Resources) {
        resources.drops.falseAcks += 1
        isClosedByPeer = true
    }

    /// A datagram sent on the path was answered.
    mutating func answered(_ index: Int, _ resources: inout Resources, name: String, now: Instant) {
        let path = paths[index]
        // While the peer's presence is in doubt, only an echo proves it.
        guard !path.pointee.presence.isClosed else { return }
        let before = path.pointee.liveness.state
        // An answer to a datagram sent before the path was taken out of use.
        guard path.pointee.role != .never else { return }
        guard path.pointee.liveness.answered(now: now, alone: !hasPathUp) else { return }
        // The peer never learned that a path was suspect.
        if before != .suspect { owesPreferences = isClient }
        if before == .down { path.pointee.rate.halve(now: now) }
        path.pointee.presence.restartPatience(now: now)
        path.pointee.nextIdleProbe = now + Self.shortestProbe
        resources.events.append(.pathChanged(peer: name, pathID: path.pointee.id, state: .up))
    }
}

extension Path {
    /// Maximum plausible clock value in microseconds, 35 years after its start.
    private static var latestTime: UInt64 { 1 << 50 }

    /// Whether an ACK is plausible. A peer cannot have received more than was sent, as copies do not count; a
    /// claim to the contrary would make us believe in a rate that the path never carried.
    func admits(_ ack: AckFrame) -> Bool {
        ack.highest < sent.next && ack.packetsReceived <= counters.sentPackets
            && ack.bytesReceived <= counters.sentBytes && ack.receiveTime < Self.latestTime
    }
}
