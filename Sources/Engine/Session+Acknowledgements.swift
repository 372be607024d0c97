import Packet
import Proto
import Scheduler

// Acknowledgements, and their consequences for the path.
extension Session {
    /// What the peer received of what we sent on the path at `index`.
    mutating func apply(
        _ ack: AckFrame, to index: Int, cameOn arrival: Int, _ resources: inout Resources,
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
                countsPackets: path.pointee.reordering.value == nil, lost: &sendQueue.lost,
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
            resources.events.append(.marksStopped(peer: peerName, pathID: path.pointee.id))
        }
        if news.lateness > .zero { path.pointee.reordering.record(news.lateness.nanoseconds, now: now) }
        let (repaired, unrepaired) = sendQueue.repair(
            pool: &resources.pool, notes: resources.notes, now: now)
        path.pointee.counters.repaired += repaired
        counters.unrepaired += unrepaired
        // The peer sent the ACK this much after what it acknowledges: its clock at departure.
        let inbound = paths[arrival]
        inbound.pointee.recordInbound(sentAt: ack.receiveTime &+ UInt64(ack.delay), now: now)
        let lost = max(news.lost, 0)
        path.pointee.counters.lost = UInt64(max(Int64(path.pointee.counters.lost) + Int64(news.lost), 0))
        let seen = news.acknowledged + lost
        if seen > 0 {
            // A moving average over some 500 datagrams.
            let weight = min(Double(seen) / 500, 0.5)
            path.pointee.lossRatio += (Double(lost) / Double(seen) - path.pointee.lossRatio) * weight
            if !path.pointee.delay.showsQueue(path.pointee.rtt) {
                // What was only late takes its part back.
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
        // Of a path that is down, an ACK for what left before proves only the way back.
        if path.pointee.liveness.state == .down {
            guard let sentAt = news.highestSent, sentAt >= path.pointee.liveness.since else { return }
        }
        // Which of several links works is for PONGs to say.
        if path.pointee.isSeeking { return }
        // What comes by another path proves only the way there, and a path that is up has both.
        guard index == arrival || !path.pointee.isDeaf(now: now) else {
            path.pointee.confirmedAt = now
            return
        }
        answered(index, &resources, now: now)
    }

    /// What arrived on the path at `index`; nil before anything has.
    func ackFrame(_ index: Int, now: Instant) -> AckFrame? {
        paths[index].pointee.received.state.map { frame(of: $0, on: index, now: now) }
    }

    /// The last ACK once more, when so much has come since that the next does not reach much below it: the peer counts what no ACK
    /// has reached it for as lost, and the last one may have been lost itself.
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

    /// An ACK says what can't be: the session with whoever sent it ends.
    private mutating func refuseFalseAck(_ resources: inout Resources) {
        resources.drops.falseAcks += 1
        isClosedByPeer = true
    }

    /// Something that we sent on the path was answered.
    mutating func answered(_ index: Int, _ resources: inout Resources, now: Instant) {
        let path = paths[index]
        // Where the peer is in doubt, only an echo tells that it is there.
        guard !path.pointee.presence.isClosed else { return }
        let before = path.pointee.liveness.state
        // The answer to what left before it was taken out of use.
        guard path.pointee.role != .never else { return }
        guard path.pointee.liveness.answered(now: now, alone: !paths.isAnyUp) else { return }
        // A path in doubt was no news to the peer.
        if before != .suspect && isClient { owed.owePreferences() }
        if before == .down { path.pointee.rate.halve(now: now) }
        path.pointee.presence.restartPatience(now: now)
        path.pointee.nextIdleProbe = now + Self.shortestProbe
        resources.events.append(.pathChanged(peer: peerName, pathID: path.pointee.id, state: .up))
    }
}

extension Path {
    /// A clock beyond this many microseconds, 35 years after its start, is none.
    private static var latestTime: UInt64 { 1 << 50 }

    /// Whether an ACK may be true. Nobody can have received more than was sent, as copies do not count; whoever says so would
    /// have us believe in a rate that the path never carried.
    func admits(_ ack: AckFrame) -> Bool {
        ack.highest < sent.next && ack.packetsReceived <= counters.sentPackets
            && ack.bytesReceived <= counters.sentBytes && ack.receiveTime < Self.latestTime
    }
}
