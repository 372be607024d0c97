import Packet
import Proto
import Scheduler

// Acknowledgements, and their consequences for the path.
extension Session {
    /// Applies the peer's report of the datagrams it received on the path at `index`.
    mutating func apply(
        _ ack: AckFrame, to index: Int, cameOn arrival: Int, _ resources: inout Resources, now: Instant
    ) {
        let path = paths[index]
        guard path.pointee.admits(ack) else {
            refuseFalseAck(&resources)
            return
        }
        let map = AckMap(highest: ack.highest, words: ack.map)
        guard
            let news = path.pointee.acknowledge(
                map, lost: &sendQueue.lost, pool: &resources.pool, notes: resources.notes)
        else { return }
        guard !news.containsSkipped else {
            refuseFalseAck(&resources)
            return
        }
        if path.pointee.learnNetwork(news, map, now: now) {
            resources.events.append(.marksStopped(peer: peerName, pathID: path.pointee.id))
        }
        let (repaired, unrepaired) = sendQueue.repair(
            pool: &resources.pool, notes: resources.notes, now: now)
        path.pointee.counters.repaired += repaired
        counters.unrepaired += unrepaired
        // The peer sent the ACK this much after the arrival of the datagrams in it: its clock at departure.
        paths[arrival].pointee.recordInbound(sentAt: ack.receiveTime &+ UInt64(ack.delay), now: now)
        path.pointee.learnLoss(news)
        guard news.acknowledged > 0 else { return }
        path.pointee.learnTimes(news, ack, isDirect: index == arrival, now: now)
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
        answered(index, &resources, now: now)
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
    mutating func answered(_ index: Int, _ resources: inout Resources, now: Instant) {
        let path = paths[index]
        // While the peer's presence is in doubt, only an echo proves it.
        guard !path.pointee.presence.isClosed else { return }
        let before = path.pointee.liveness.state
        // An answer to a datagram sent before the path was taken out of use.
        guard path.pointee.role != .never else { return }
        guard path.pointee.liveness.answered(now: now, alone: !paths.isAnyUp) else { return }
        // The peer never learned that a path was suspect.
        if before != .suspect && isClient { owed.owePreferences() }
        if before == .down { path.pointee.rate.halve(now: now) }
        path.pointee.presence.restartPatience(now: now)
        path.pointee.nextIdleProbe = now + Self.shortestProbe
        resources.events.append(.pathChanged(peer: peerName, pathID: path.pointee.id, state: .up))
    }
}

extension Path {
    /// Settles the datagrams that an ACK is about; nil for an ACK of datagrams that never left.
    fileprivate mutating func acknowledge(
        _ map: AckMap, lost: inout SlotQueue, pool: inout PacketPool, notes: borrowing PacketNotes
    ) -> SentPackets.News? {
        sent.acknowledge(
            map, reordering: reorderingWindow, countsPackets: reordering.value == nil, lost: &lost,
            pool: &pool, notes: notes)
    }

    /// Learns from an ACK which sizes and codepoints arrive, and by how much the path changes the order.
    /// - Returns: whether no datagram may leave with a codepoint from now on.
    fileprivate mutating func learnNetwork(_ news: SentPackets.News, _ map: AckMap, now: Instant) -> Bool {
        _ = mtu.acknowledge(map, now: now)
        mtu.record(arrived: news.largestArrived, missed: news.missed, smallestMissed: news.smallestMissed)
        mtu.recordBelowBase(
            arrived: news.largestArrived, missed: news.missedBelowBase,
            smallestMissed: news.smallestMissedBelowBase)
        if news.lateness > .zero { reordering.record(news.lateness.nanoseconds, now: now) }
        return marks.record(
            markedArrived: news.markedArrived, markedMissed: news.markedMissed,
            plainArrived: news.plainArrived, now: now)
    }

    /// Learns from an ACK which share of the datagrams is lost.
    fileprivate mutating func learnLoss(_ news: SentPackets.News) {
        let lost = max(news.lost, 0)
        counters.lost = UInt64(max(Int64(counters.lost) + Int64(news.lost), 0))
        let seen = news.acknowledged + lost
        guard seen > 0 else { return }
        // A moving average over about 500 datagrams.
        let weight = min(Double(seen) / 500, 0.5)
        lossRatio += (Double(lost) / Double(seen) - lossRatio) * weight
        if !delay.showsQueue(rtt) {
            // Datagrams that were only late take their part back.
            let share = Double(news.lost) / Double(seen)
            randomLoss += (share - randomLoss) * weight
            randomLoss = max(randomLoss, 0)
        }
    }

    /// Learns from an ACK the path's delays and its rate.
    /// - Parameter isDirect: whether the ACK came on this path, so that it shows a round trip.
    fileprivate mutating func learnTimes(
        _ news: SentPackets.News, _ ack: AckFrame, isDirect: Bool, now: Instant
    ) {
        guard let sentAt = news.highestSent else { return }
        let wait = Interval.microseconds(Int64(ack.delay))
        if isDirect, now - sentAt >= wait { rtt.record(now - sentAt - wait, now: now) }
        let received = Instant(nanoseconds: ack.receiveTime &* 1000)
        let isIdle = news.starved && sentAt - busyAt > rtt.smoothed + .milliseconds(50)
        delay.record(received - sentAt, idle: isIdle, now: now)
        rate.record(
            Arrivals(
                sent: sentAt, received: received,
                bytes: ack.bytesReceived &+ ack.packetsReceived &* UInt64(RateModel.datagramOverhead),
                left: news.highestTotal, acknowledged: news.acknowledged, lost: news.lost,
                isStarved: news.starved),
            delay: delay, rtt: rtt, now: now)
        if rate.takeStaleFloor() {
            delay.restartFloor(now: now)
            rtt.restartFloor(now: now)
        }
    }

    /// Maximum plausible clock value in microseconds, 35 years after its start.
    private static var latestTime: UInt64 { 1 << 50 }

    /// Whether an ACK is plausible. A peer cannot have received more than was sent, as copies do not count; a
    /// claim to the contrary would make us believe in a rate that the path never carried.
    func admits(_ ack: AckFrame) -> Bool {
        ack.highest < sent.next && ack.packetsReceived <= counters.sentPackets
            && ack.bytesReceived <= counters.sentBytes && ack.receiveTime < Self.latestTime
    }
}
