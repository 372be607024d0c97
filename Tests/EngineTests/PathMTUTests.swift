import Packet
import Proto
import Testing

@testable import Engine

/// Links that silently swallow packets larger than their MTU.
@Suite struct PathMTUTests {
    private func set(_ world: World, _ path: UInt16, mtu: Int, down: Int? = nil) {
        world.link(path).up.shape.mtu = mtu
        world.link(path).down.shape.mtu = down ?? mtu
    }

    /// The MTU found by each end for its direction of a path, as a size of IP packets.
    private func found(_ world: World, _ path: UInt16) throws -> (up: Int, down: Int) {
        func mtu(_ node: Node) throws -> Int {
            try #require(
                node.engine.reports(now: world.now).first?.paths.first { $0.id == path }?.mtu)
        }
        return (try mtu(world.clients[0]), try mtu(world.server))
    }

    @Test(arguments: [
        (1280, 1500), (1300, 1400), (1500, 1420), (1492, 1236), (1500, 1500), (1200, 1500), (600, 1000),
    ])
    func eachDirectionFindsItsOwn(up: Int, down: Int) throws {
        let world = try World(clients: [["100/10,loss=2%", "50/30"]], seed: 3)
        set(world, 2, mtu: up, down: down)
        world.run(for: .seconds(6))
        let (own, peers) = try found(world, 2)
        #expect((up - 32...up).contains(own) && (down - 32...down).contains(peers), "\(own) and \(peers)")
        #expect(try found(world, 1) == (1500, 1500))
    }

    /// Below 1280 bytes, which IPv6 takes for granted: alone, and next to a path that carries everything. The
    /// interface reports it, or does not.
    @Test(arguments: [["50/10"], ["50/10", "50/12"]], [true, false])
    func aNarrowPathCarriesWhatFits(_ links: [String], _ isTold: Bool) throws {
        let world = try World(clients: [links], seed: 9, attached: false)
        let last = UInt16(links.count)
        set(world, last, mtu: 1200)
        for path in UInt16(1)...last {
            world.clients[0].engine.setPath(
                path, role: .primary, link: Link(socket: path, remote: World.serverEndpoint),
                mtu: path == last && isTold ? 1200 : 1500, now: world.now)
        }
        world.run(for: .seconds(4))
        #expect((1168...1200).contains(try found(world, last).up))
        #expect((1168...1200).contains(try found(world, last).down))
        var onNarrow = 0
        world.onWire = { _, link, bytes in
            if link.path == last && bytes[3] & 15 == Kind.data.rawValue { onNarrow += 1 }
            return true
        }
        let isAlone = links.count == 1
        let traffic = Traffic(world)
            .add(from: 0, id: 1, every: .milliseconds(2), payload: isAlone ? 1050 : 1340)
            .add(from: -1, id: 2, every: .milliseconds(2), payload: isAlone ? 1050 : 1340)
            .add(from: 0, id: 3, every: .milliseconds(1), payload: 900)
        traffic.run(for: .seconds(2))
        world.run(for: .seconds(1))
        #expect(world.server.flows.total.count + world.clients[0].flows.total.count >= traffic.sent)
        #expect(isAlone || world.server.session()?.pointee.reach.smallest ?? 0 > 1400)
        #expect(onNarrow > 0 || !isAlone)
    }

    /// A route changes, and the only path carries less than the minimum.
    @Test func aPathThatBecomesNarrowIsFoundOut() throws {
        let world = try World(clients: [["50/10"]], seed: 10)
        world.run(for: .seconds(2))
        set(world, 1, mtu: 1000)
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(2), payload: 1100)
        traffic.run(for: .seconds(5))
        #expect((968...1000).contains(try found(world, 1).up))
        #expect(world.clients[0].drops.packetTooBig > 0, "the sender is told")
    }

    /// Packets too large for one path use the other from the first one on.
    @Test(arguments: [IPAddress.Family.v4, .v6])
    func nothingGoesWhereItDoesNotFit(family: IPAddress.Family) throws {
        let world = try World(clients: [["100/10", "100/10"]], seed: 4)
        set(world, 2, mtu: 1350)
        world.run(for: .seconds(3))
        var large = 0
        world.onWire = { _, link, bytes in
            if bytes[3] & 15 == Kind.data.rawValue && link.path == 2 && bytes.count > 1350 - 28 { large += 1 }
            return true
        }
        let isV6 = family == .v6
        let traffic = Traffic(world)
            .add(from: 0, id: 1, every: .milliseconds(2), payload: 1340, isV6: isV6)
            .add(from: -1, id: 2, every: .milliseconds(2), payload: 1340, isV6: isV6)
            .add(from: 0, id: 3, every: .milliseconds(2), payload: 900, isV6: isV6)
        traffic.run(for: .seconds(2))
        world.run(for: .seconds(1))
        #expect(large == 0)
        #expect(world.server.flows.total.count + world.clients[0].flows.total.count >= traffic.sent)
        #expect(world.link(2).up.shape.mtu == 1350)
        // Senders learn the common MTU of all paths, and their packets are sent nevertheless.
        let told = [world.clients[0], world.server].map { $0.drops.packetTooBig }
        #expect(told == [0, 0])
    }

    /// A black hole opens under a stream on one of two paths: swallowed packets are retransmitted, and later
    /// ones avoid it.
    @Test(arguments: Array(UInt64(1)...6))
    func aBlackHoleIsAvoidedWithinASecond(seed: UInt64) throws {
        let world = try World(clients: [["50/10", "50/20"]], seed: seed)
        world.run(for: .seconds(1))
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(1), payload: 1340)
        traffic.run(for: .seconds(2))
        set(world, 1, mtu: 1280)
        let start = world.now
        traffic.run(for: .seconds(1))
        let before = world.server.flows.total.count
        traffic.run(for: .seconds(3))
        #expect(world.server.flows.total.count - before > 2900, "\(world.server.flows.total.count - before)")
        let gap = world.server.delivered.longestGap(after: start, until: world.now)
        #expect(gap < .milliseconds(500), "\(gap.milliseconds) ms")
        world.run(for: .seconds(3))
        let own = try found(world, 1).up
        #expect((1248...1280).contains(own), "\(own)")
        #expect(world.server.flows.total.count > traffic.sent * 95 / 100)
    }

    /// The only path becomes one for small packets: senders are told, and small packets arrive.
    @Test(arguments: [IPAddress.Family.v4, .v6])
    func theSenderIsToldWhenNothingElseIsLeft(family: IPAddress.Family) throws {
        let world = try World(clients: [["50/10"]], seed: 5)
        world.run(for: .seconds(1))
        let traffic = Traffic(world).add(
            from: 0, every: .milliseconds(2), payload: 1340, isV6: family == .v6)
        traffic.run(for: .seconds(1))
        let arrived = world.server.flows.total.count
        #expect(arrived > 450)
        set(world, 1, mtu: 1300)
        // ICMP's first bytes are where a probe has its ports.
        let error: UInt16 = family == .v4 ? 0x0304 : 0x0200
        let client = world.clients[0]
        var errors = 0
        client.onDelivery = { if $0.flow == error { errors += 1 } }
        traffic.run(for: .seconds(1))
        #expect(errors > 0 && errors < 130, "\(errors): at most 100 a second and 20 at once")
        #expect(client.drops.packetTooBig > 0)
        let session = try #require(client.session())
        let reach = session.pointee.reach
        Traffic(world).add(from: 0, id: 7, every: .milliseconds(2), payload: reach.smallest - 60)
            .run(for: .seconds(1))
        world.run(for: .milliseconds(200))
        let small = world.server.flows.records.filter { $0.key.flow == 7 }.values.first?.count ?? 0
        #expect(small > 495, "\(small)")
    }

    /// Random loss, even in bursts, is not taken for a black hole for long.
    @Test(arguments: ["50/10,loss=5%", "50/20,loss=3%,burst=10", "50/20,jitter=10,reorder,loss=2%"])
    func lossIsNoBlackHole(link: String) throws {
        let world = try World(clients: [[link]], seed: 6)
        world.run(for: .seconds(1))
        let traffic = Traffic(world).add(from: 0, every: .milliseconds(1), payload: 1340)
        traffic.run(for: .seconds(10))
        world.run(for: .seconds(1))
        #expect(try found(world, 1).up == 1500)
        #expect(world.clients[0].drops.packetTooBig == 0)
    }

    /// The host refuses packets larger than its interface's MTU: that needs no timeout.
    @Test func theHostsRefusalLowersAtOnce() throws {
        let world = try World(clients: [["50/10"]], seed: 7)
        world.run(for: .seconds(2))
        #expect(try found(world, 1).up == 1500)
        set(world, 1, mtu: 1400)
        let link = Link(socket: 1, remote: World.serverEndpoint)
        world.clients[0].engine.refuse(1450, on: link, now: world.now)
        #expect(try found(world, 1).up == 1228)
        world.run(for: .seconds(4))
        #expect((1368...1400).contains(try found(world, 1).up))
        // Refusals on other links do not concern it.
        world.clients[0].engine.refuse(
            1300, on: Link(socket: 2, remote: World.serverEndpoint), now: world.now)
        #expect((1368...1400).contains(try found(world, 1).up))
    }

    /// Congestion outside is reported inside, once for a packet whose copies arrived on several paths.
    @Test func marksComeAndGoWithTheOuterHeader() throws {
        var pair = DirectPair()
        pair.connect()
        func send(_ ecn: UInt8, outer: UInt8) -> (sent: UInt8?, delivered: UInt8?) {
            let slot = pair.client.reserve()
            let length = Probe(World.inner(0), World.serverInner, number: 1).write(
                to: pair.client.room(of: slot))
            pair.client.room(of: slot)[1] = ecn
            Checksum.finishIPv4(pair.client.room(of: slot).slice(0, 20))
            pair.client.send(slot, length: length, now: pair.now)
            let outcome = pair.carry(outer: outer)
            return outcome
        }
        for ecn: UInt8 in 0..<4 { #expect(send(ecn, outer: ecn).sent == ecn) }
        #expect(send(2, outer: 3).delivered == 3 && send(1, outer: 3).delivered == 3)
        #expect(send(2, outer: 0).delivered == 2 && send(2, outer: 1).delivered == 1)
        #expect(pair.server.drops.congested == 0)
        #expect(send(0, outer: 3).delivered == nil)
        #expect(pair.server.drops.congested == 1)
    }
}

extension DirectPair {
    /// Carries datagrams from the client to the server, data with this outer field.
    /// - Returns: the field that the first data datagram left with, and that of the first packet that came out.
    mutating func carry(outer: UInt8) -> (sent: UInt8?, delivered: UInt8?) {
        var result: (sent: UInt8?, delivered: UInt8?) = (nil, nil)
        for _ in 0..<100 {
            now = now + .microseconds(100)
            let wall = Timestamp(seconds: 1_700_000_000 + now.nanoseconds / 1_000_000_000, nanoseconds: 0)
            while !client.service(into: &outbox, now: now, wall: wall) {}
            for i in 0..<outbox.count {
                let entry = outbox[i]
                let bytes = UnsafeRawBufferPointer(outbox.datagram(entry))
                let isData = bytes[3] & 15 == Kind.data.rawValue
                if isData { result.sent = result.sent ?? entry.ecn }
                let from = Endpoint(
                    address: IPAddress(v4: 0x0A00_0100 + UInt32(entry.link.socket)), port: 4000)
                server.receive(bytes, from: Link(socket: 0, remote: from), ecn: isData ? outer : 0, now: now)
            }
            outbox.clear()
            while !server.service(into: &outbox, now: now, wall: wall) {}
            for i in 0..<outbox.count {
                let entry = outbox[i]
                let path = UInt16(truncatingIfNeeded: entry.link.remote.address.low & 0xFF)
                client.receive(
                    UnsafeRawBufferPointer(outbox.datagram(entry)),
                    from: Link(
                        socket: path, remote: Endpoint(address: IPAddress(v4: 0x0A00_0001), port: 5000)),
                    now: now)
            }
            outbox.clear()
            while case let slot = server.takeDelivery(), slot != .none {
                result.delivered = result.delivered ?? InnerPacket.ecn(of: server.delivery(slot).packet)
                server.release(slot)
            }
        }
        return result
    }
}
