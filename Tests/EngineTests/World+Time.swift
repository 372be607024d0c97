import Lab
import LinkModel
import Packet
import Proto

@testable import Engine

// The clock, and everything that it drives.
extension World {
    /// Runs for `length`, calling `tick` every `step`.
    func run(for length: Interval, step: Interval = .seconds(3600), tick: ((Instant) -> Void)? = nil) {
        let end = now + length
        var nextTick = now
        var turnsAtOnce = 0
        for node in nodes { settle(node) }
        while true {
            var next = end
            if tick != nil { next = min(next, nextTick) }
            if let first = arrivals.first { next = min(next, Instant(nanoseconds: first.time)) }
            for index in nodes where node(index).isAlive {
                next = min(next, node(index).nextDeadline)
            }
            turnsAtOnce = next <= now ? turnsAtOnce + 1 : 0
            precondition(turnsAtOnce < 10_000, "seed \(seed): \(restless) to be called at once for ever")
            now = max(now, next)
            if now >= end { break }
            if let tick, nextTick <= now {
                nextTick = now + step
                tick(now)
            }
            while let first = arrivals.first, first.time <= now.nanoseconds {
                arrivals.removeFirst()
                if let guest = guests[first.client] {
                    guest(first.link, first.bytes)
                    continue
                }
                guard node(first.client).isAlive else { continue }
                inject(
                    first.bytes, at: first.client, from: first.link, ecn: first.ecn,
                    arrival: hasReceiveStamps ? Instant(nanoseconds: first.arrived) : nil)
            }
            for index in nodes
            where node(index).isAlive && node(index).nextDeadline <= now {
                settle(index)
            }
        }
        now = end
    }

    /// The nodes that need to be called now.
    private var restless: String {
        nodes.filter { node($0).nextDeadline <= now }.map { node($0).name }.joined(
            separator: ", ")
    }

    /// Runs until `condition` holds or `length` is over; returns the time it took, nil if it never did.
    func time(until length: Interval, _ condition: () -> Bool) -> Interval? {
        let start = now
        while now - start < length {
            if condition() { return now - start }
            run(for: .milliseconds(5))
        }
        return condition() ? now - start : nil
    }

    /// Services a node until it has no more output, and carries out its requests.
    func settle(_ index: Int) {
        let node = node(index)
        guard node.isAlive else { return }
        let wall = wall(node.wallOffset)
        var isDone = false
        while !isDone {
            if index < 0 { meter?.begin() }
            isDone = node.engine.service(into: &node.outbox, now: node.time(now), wall: wall)
            if index < 0 { meter?.pause() }
            flush(node, index)
            if isDone { onTurn?(index) }
            while true {
                let slot = node.engine.takeDelivery()
                if slot == .none { break }
                node.onPacket?([UInt8](node.engine.packet(in: slot)))
                if let probe = Probe(parsing: node.engine.packet(in: slot)) {
                    if node.keepsDeliveries { node.delivered.append((now, probe)) }
                    node.flows.note(probe)
                    node.onDelivery?(probe)
                }
                node.engine.release(slot)
            }
            node.events += node.engine.takeEvents()
        }
        if index < 0 { meter?.finishTurn() }
        _ = node.engine.giveBackMemory(now: node.time(now), pageSize: 4096) { pages in
            // Any read of released memory sees this.
            pages.initializeMemory(as: UInt8.self, repeating: 0xA5)
            node.givenBack += pages.count
        }
        if index < 0 && shards > 1 { handOver(from: node) }
    }

    /// Puts a node's datagrams onto the links.
    func flush(_ node: Node, _ index: Int) {
        for i in 0..<node.outbox.count {
            let entry = node.outbox[i]
            let bytes = [UInt8](node.outbox.datagram(entry))
            if let header = bytes.withUnsafeBytes({ Header(parsing: $0) }) { node.nonces.note(header) }
            let towardsServer = index >= 0
            let link = links.first {
                towardsServer
                    ? $0.client == index && $0.path == entry.link.socket
                    : $0.clientEndpoint == entry.link.remote
                        || guests[$0.client] != nil && $0.clientEndpoint.address == entry.link.remote.address
            }
            guard let link, onWire?(towardsServer, link, bytes) ?? true else { continue }
            let mark = remark.map { $0(towardsServer, link, entry.ecn) } ?? entry.ecn
            guard let mark else { continue }
            if towardsServer {
                carry(bytes, mark, &link.up, to: shardByHeader(bytes), as: serverSide(link))
            } else {
                carry(
                    bytes, mark, &link.down, to: link.client,
                    as: Link(socket: link.path, remote: Self.serverEndpoint))
            }
        }
        node.outbox.clear()
    }

    /// Sends a guest's datagram over a link, from another port of its address.
    func launch(_ bytes: [UInt8], over link: VirtualLink, source: Int) {
        var from = serverSide(link)
        from.remote.port &+= UInt16(source)
        carry(bytes, 0, &link.up, to: shardByHeader(bytes), as: from)
    }

    /// The time of day on a node's clock.
    func wall(_ offset: Int64 = 0) -> Timestamp {
        let seconds = Int64(now.nanoseconds / 1_000_000_000) + 1_700_000_000 + offset
        return Timestamp(seconds: UInt64(seconds), nanoseconds: UInt32(now.nanoseconds % 1_000_000_000))
    }

    private func carry(
        _ bytes: [UInt8], _ ecn: UInt8, _ model: inout LinkModel, to client: Int, as link: Link
    ) {
        // IPv4, UDP and Ethernet headers count on the link.
        switch model.offer(bytes: bytes.count + 42, at: now.nanoseconds) {
        case .delivered(let time): push(time, client, link, bytes, ecn)
        case .duplicated(let time, let copy):
            push(time, client, link, bytes, ecn)
            push(copy, client, link, bytes, ecn)
        case .queueFull, .policed, .lost, .down: break
        }
    }

    private func push(_ time: UInt64, _ client: Int, _ link: Link, _ bytes: [UInt8], _ ecn: UInt8) {
        order += 1
        let interval = UInt64(max(readingInterval.nanoseconds, 1))
        arrivals.insert(
            Arrival(
                time: (time + interval - 1) / interval * interval, arrived: time, order: order,
                client: client,
                link: link, bytes: bytes, ecn: ecn))
    }
}
