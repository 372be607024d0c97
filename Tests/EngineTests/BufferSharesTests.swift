import Packet
import Proto
import Testing

@testable import Engine

@Suite struct BufferSharesTests {
    /// Sessions that take all they can get, one after the other, in turns of 64 packets.
    private func greedy(_ sessions: Int) -> (held: [Int], free: Int) {
        var pool = PacketPool(capacity: 16384)
        var shares = BufferShares()
        var allowances = [BufferAllowance](repeating: BufferAllowance(), count: sessions)
        var slots = [[Slot]](repeating: [], count: sessions)
        for turn in 0..<600 {
            for i in 0..<sessions where turn >= i {
                // Held buffers are released after a while, and twice as many if none are left.
                allowances[i].measure(slots[i].count, shares: &shares, pool: pool)
                for _ in 0..<64 {
                    let leaving = allowances[i].mayKeep ? slots[i].count > 12_000 ? 1 : 0 : 2
                    for _ in 0..<min(leaving, slots[i].count) { pool.release(slots[i].removeLast()) }
                    let slot = pool.reserve()
                    guard slot != .none else { continue }
                    allowances[i].keep()
                    slots[i].append(slot)
                }
            }
        }
        return (slots.map(\.count), pool.capacity - pool.inUse)
    }

    @Test(arguments: [1, 2, 5, 20]) func theGreedyLeaveAQuarter(_ sessions: Int) {
        let (held, free) = greedy(sessions)
        #expect(free > 16384 / 4 - 64 * sessions - 64, "\(free) are free")
        let fair = 16384 * 3 / 4 / sessions
        for count in held { #expect(count > fair * 3 / 4 && count < fair * 5 / 4, "\(held)") }
    }

    /// Sessions that stay just below their shares, so that nothing they hold is ever taken back, next to one that
    /// comes when they have all they can get: it has room for what it needs at once, and its share soon.
    @Test func fiftyThatStayBelowTheirSharesLeaveRoom() {
        var pool = PacketPool(capacity: 16384)
        var shares = BufferShares()
        var hoarders = [BufferAllowance](repeating: BufferAllowance(), count: 50)
        var held = [Int](repeating: 0, count: 50)
        func hoard() {
            for i in hoarders.indices {
                hoarders[i].measure(held[i], shares: &shares, pool: pool)
                // A turn's worth each.
                for _ in 0..<64 where hoarders[i].mayKeep && pool.reserve() != .none {
                    hoarders[i].keep()
                    held[i] += 1
                }
            }
        }
        for _ in 0..<1000 { hoard() }
        let free = pool.capacity - pool.inUse
        #expect(free >= 16384 / 4 - 64 * 50, "\(free) are free")
        #expect(free <= 16384 / 3, "they do hoard: \(free) are free")
        var late = BufferAllowance()
        var own: [Slot] = []
        for _ in 0..<100 {
            late.measure(own.count, shares: &shares, pool: pool)
            for _ in 0..<64 where late.mayKeep {
                let slot = pool.reserve()
                #expect(slot != .none, "at \(own.count)")
                late.keep()
                own.append(slot)
            }
            hoard()
        }
        let fair = 16384 * 3 / 4 / 51
        #expect(own.count > fair * 3 / 4, "\(own.count) of \(fair)")
    }

    /// A session that holds a few does not reduce the others' shares.
    @Test func aFewDoNotCount() {
        let pool = PacketPool(capacity: 1000)
        var shares = BufferShares()
        var small = BufferAllowance()
        small.measure(BufferShares.few, shares: &shares, pool: pool)
        #expect(shares.holders == 0 && shares.limit(free: 100) == 300)
        small.measure(BufferShares.few + 1, shares: &shares, pool: pool)
        #expect(shares.holders == 1)
        var other = BufferAllowance()
        other.measure(100, shares: &shares, pool: pool)
        #expect(shares.holders == 2 && shares.limit(free: 100) == 150)
        shares.update(from: small.held, to: 0)
        #expect(shares.holders == 1)
    }

    /// A client whose packets wait for others that never arrive, and whose download exceeds its link, next to an
    /// honest one, which loses nothing.
    @Test func whoHoardsTakesNothingFromOthers() throws {
        let world = try World(clients: [["2/20"], ["100/5"]], seed: 9, pool: 4096)
        world.run(for: .seconds(1))
        let insider = Insider(world)
        let traffic = Traffic(world)
            .add(from: -1, client: 0, every: .microseconds(100), payload: 20)
            .add(from: 1, id: 2, every: .milliseconds(4)).add(
                from: -1, client: 1, id: 2, every: .milliseconds(4))
        var packet = [UInt8](repeating: 0, count: Wire.shimSize + 64)
        let length = packet.withUnsafeMutableBytes { room in
            Shim(distance: 1, trafficClass: TrafficClass.bulk.rawValue).write(to: room)
            return Probe(World.inner(0), World.serverInner, number: 0, payload: 8)
                .write(to: room.dropping(Wire.shimSize))
        }
        packet.removeLast(packet.count - Wire.shimSize - length)
        var sequence: UInt64 = 1000
        var next = world.now
        var most = 0
        traffic.run(for: .seconds(2)) { now in
            guard now >= next else { return }
            next = now + .milliseconds(1)
            // A false time lets packets wait as long as permitted.
            insider.send(
                .control, Insider.payload([.ping(now.microseconds - 400_000), .ping(now.microseconds)]))
            for _ in 0..<16 {
                insider.send(.data, packet, sequence: sequence)
                sequence += 2
            }
            most = max(most, world.server.session(0)?.pointee.delivery.held ?? 0)
        }
        world.run(for: .milliseconds(300))
        #expect(most > 100, "it did hoard: \(most)")
        #expect(world.server.drops.noBuffer == 0)
        let up = FlowLedger.Key(source: World.inner(1), destination: World.serverInner, flow: 2)
        let down = FlowLedger.Key(source: World.serverInner, destination: World.inner(1), flow: 2)
        let sent = Int(traffic.flows[1].sent)
        #expect(world.server.flows.records[up]?.count == sent)
        #expect(world.clients[1].flows.records[down]?.count == sent)
    }
}
