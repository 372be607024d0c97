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
        let isDirect = index == arrival
        guard
            let news = path.pointee.acknowledge(
                map, isDirect: isDirect, lost: &sendQueue.lost, pool: &resources.pool, notes: resources.notes)
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
        if isDirect { path.pointee.learnRoundTrip(news, ack, now: now) }
        guard news.acknowledged > 0 else { return }
        path.pointee.learnTimes(news, ack, now: now)
        if !isDirect { path.pointee.noteEarlyReport(ack, now: now) }
        // On a path that is down, an ACK for datagrams sent before that proves only the way back.
        if path.pointee.liveness.state == .down {
            guard let sentAt = news.highestSent, sentAt >= path.pointee.liveness.since else { return }
        }
        // Only PONGs decide which of several links works.
        if path.pointee.isSeeking { return }
        // An ACK that arrives by another path proves only the way there; a path that is up has both.
        guard isDirect || !path.pointee.isDeaf(now: now) else {
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

    /// Decides whether the ACK that is due for the path at `index` is also sent by the fastest path.
    mutating func copyAck(of index: Int, by fastest: Int?, now: Instant) {
        let path = paths[index]
        guard let fastest, fastest != index, path.pointee.link != nil, path.pointee.role != .never else {
            path.pointee.ackCopies.stop()
            return
        }
        if let transit = path.pointee.transit, let shortest = paths[fastest].pointee.transit {
            path.pointee.ackCopies.weigh(lead: transit - shortest)
        } else {
            path.pointee.ackCopies.weigh(lead: .zero)
        }
        guard isDue(.acknowledgement, of: index, now: now), !path.pointee.ackCopies.isOwed else { return }
        // An ACK is worth sending twice when its own path is in doubt.
        path.pointee.ackCopies.isOwed = !path.pointee.liveness.isUp || path.pointee.takeAckCopy(now: now)
    }

    /// Appends the copies that are owed to a datagram on the fastest path.
    mutating func appendCopies(to writer: inout FrameWriter, now: Instant) {
        for i in 0..<paths.count where paths[i].pointee.ackCopies.isOwed {
            guard let ack = ackFrame(i, now: now) else { continue }
            guard writer.append(ack) else { return }
            paths[i].pointee.ackCopies.isOwed = false
        }
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

extension PathList {
    /// The path in use on which datagrams arrive soonest.
    var fastest: Int? {
        var best: (index: Int, transit: Interval)?
        for i in 0..<count {
            guard let transit = self[i].pointee.transit else { continue }
            if best.map({ transit < $0.transit }) ?? true { best = (i, transit) }
        }
        return best?.index
    }

    /// Whether the fastest path owes copies of ACKs.
    var oweCopies: Bool {
        for i in 0..<count where self[i].pointee.ackCopies.isOwed { return true }
        return false
    }
}

extension Path {
    /// Takes a copy of the ACK that is due from the budget: only while data arrives, and if a copy arrives
    /// sooner than the ACK on the path itself.
    fileprivate mutating func takeAckCopy(now: Instant) -> Bool {
        guard ackCopies.isOn, now - lastDataHeard < .seconds(1) else { return false }
        return ackCopies.take(received: counters.receivedBytes, isUrgent: received.isUrgent)
    }

    /// Settles the datagrams that an ACK is about; nil for an ACK of datagrams that never left.
    /// - Parameter isDirect: whether it came on this path, so that it has overtaken no other of its ACKs.
    fileprivate mutating func acknowledge(
        _ map: AckMap, isDirect: Bool, lost: inout SlotQueue, pool: inout PacketPool,
        notes: borrowing PacketNotes
    ) -> SentPackets.News? {
        sent.acknowledge(
            map, reordering: reorderingWindow, countsPackets: reordering.value == nil,
            closesBelow: isDirect, lost: &lost, pool: &pool, notes: notes)
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

    /// Learns the round trip from an ACK that came on this path, also if a copy by a faster one has arrived
    /// before it.
    fileprivate mutating func learnRoundTrip(_ news: SentPackets.News, _ ack: AckFrame, now: Instant) {
        guard highestDirect.map({ ack.highest > $0 }) ?? true,
            news.acknowledged > 0 || earlyReports.precede(ack.highest)
        else { return }
        highestDirect = ack.highest
        let wait = Interval.microseconds(Int64(ack.delay))
        guard let sentAt = sent.departure(of: ack.highest), now - sentAt >= wait else { return }
        rtt.record(now - sentAt - wait, now: now)
    }

    /// An ACK that came by another path was the first to report these datagrams.
    ///
    /// A path with data in flight sends no PINGs because its ACKs show that it works. Copies of them do not,
    /// so a path that is silent meanwhile is asked.
    fileprivate mutating func noteEarlyReport(_ ack: AckFrame, now: Instant) {
        earlyReports.note(ack.highest, now: now)
        if liveness.isUp && askedAt <= lastHeard && now - lastHeard > rtt.answerTimeout {
            control.ping = true
        }
    }

    /// Learns from an ACK the path's delays and its rate. Neither depends on when the ACK arrives, so it may
    /// have come by any path.
    fileprivate mutating func learnTimes(_ news: SentPackets.News, _ ack: AckFrame, now: Instant) {
        guard let sentAt = news.highestSent else { return }
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
