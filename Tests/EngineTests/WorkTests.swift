import Packet
import Proto
import Scheduler
import Testing

@testable import Engine
@testable import FEC

/// A client with keys cannot cause much more work for the server than the size of its traffic.
@Suite struct WorkTests {
    private func world(_ seed: UInt64, _ links: [String] = ["100/5"]) throws -> (World, Insider) {
        let world = try World(clients: [links], seed: seed, pool: 2048)
        world.run(for: .seconds(1))
        return (world, Insider(world))
    }

    private func repair(_ first: UInt64, seed: UInt8) -> Frame {
        .repair(RepairFrame(first: first, count: 16, seed: seed, symbolSize: 5))
    }

    /// Only one REPAIR frame in a datagram is processed: an honest sender puts no more in.
    @Test func oneRepairOfADatagram() throws {
        let (world, insider) = try world(1)
        insider.send(.control, Insider.payload((0..<100).map { repair(100, seed: $0) }))
        let session = try #require(world.server.session())
        #expect(session.pointee.correction.decoder.waiting == 1)
        insider.send(.control, Insider.payload([.ping(1), repair(100, seed: 101)]))
        #expect(session.pointee.correction.decoder.waiting == 2)
    }

    /// Datagrams full of REPAIR frames, with data between them, cost no more than their bytes have earned.
    @Test func repairsCostNoMoreThanTheirBytes() throws {
        let (world, insider) = try world(2)
        var bytes = 0
        for round in UInt64(0)..<400 {
            let frames = (0..<150).map { repair(round * 8, seed: UInt8($0)) }
            let payload = Insider.payload(frames)
            bytes += payload.count + Wire.minimumSealed
            insider.send(.control, payload, sequence: round * 8)
        }
        let session = try #require(world.server.session())
        #expect(session.pointee.correction.decoder.waiting > 0)
        // By then each datagram brings one symbol of 5 bytes.
        let earned = 400 * (5 + Decoder.datagramOverhead) * Decoder.allowance
        #expect(session.pointee.correction.decoder.work <= UInt64(earned + Decoder.largestCredit))
        #expect(
            Decoder.largestCredit - session.pointee.correction.decoder.credit <= bytes * Decoder.allowance)
    }

    /// The last status of a path in a datagram counts, and is applied once. A path is not taken out of use
    /// twice within 100 ms.
    @Test func aPathIsTakenOutOfUseOnceInAWhile() throws {
        let (world, insider) = try world(3, ["100/5", "50/10"])
        func status(_ down: Bool) -> Frame {
            .pathStatus(PathStatusFrame(pathID: 1, role: 0, down: down, capMbit: 0))
        }
        let session = try #require(world.server.session())
        let index = session.pointee.paths.find(1) ?? 0
        var isDown: Bool { session.pointee.paths[index].pointee.isDownAtPeer }
        var dismissedAt: Instant { session.pointee.paths[index].pointee.dismissedAt }
        // Nothing more arrives: the client would report the truth.
        world.onWire = { _, _, _ in false }
        insider.send(.control, Insider.payload((0..<150).map { status($0 % 2 == 0) }))
        #expect(
            !isDown && dismissedAt == .zero, "the last said that it is up")
        insider.send(.control, Insider.payload([status(true)]))
        #expect(isDown && dismissedAt == world.now)
        insider.send(.control, Insider.payload([status(false)]))
        #expect(!isDown, "it is back at once")
        insider.send(.control, Insider.payload([status(true)]))
        #expect(!isDown, "but does not go again so soon")
        world.now = world.now + .milliseconds(100)
        insider.send(.control, Insider.payload([status(true)]))
        #expect(isDown)
    }

    /// An ASSIGN_REQUEST has three bytes and its answer hundreds.
    @Test func anAssignmentIsNotSentAllTheTime() throws {
        let (world, insider) = try world(4)
        let before = world.clients[0].events.count { if case .assigned = $0 { true } else { false } }
        for _ in 0..<100 {
            world.run(for: .milliseconds(2))
            insider.send(.control, Insider.payload([.assignRequest]))
        }
        world.run(for: .milliseconds(100))
        let after = world.clients[0].events.count { if case .assigned = $0 { true } else { false } }
        #expect(after - before >= 1 && after - before <= 3, "\(after - before)")
    }

    /// Each assignment is work for the client's host, and a datagram has room for 170. One that is ignored is asked
    /// for again.
    @Test func aClientTakesOneAssignmentAtATime() throws {
        let world = try World(clients: [["100/5"]], seed: 7)
        world.run(for: .seconds(1))
        func count() -> Int {
            world.clients[0].events.count { if case .assigned = $0 { true } else { false } }
        }
        let before = count()
        let server = Insider(world, isClient: false)
        server.send(.control, Insider.payload(Array(repeating: .assign, count: 40)))
        world.run(for: .milliseconds(1))
        #expect(count() - before == 1)
        let isAssigned = world.clients[0].session()?.pointee.owed.isAssigned
        #expect(isAssigned == false)
    }

    /// After a turn of more than 128 datagrams the previous ACK is sent together with the next, and before it.
    @Test func theLastAckGoesAlongAfterALongTurn() throws {
        let (world, insider) = try world(5)
        let link = world.serverSide(world.link(1))
        var largest = 0
        world.onWire = { towardsServer, _, bytes in
            if !towardsServer { largest = max(largest, bytes.count) }
            return false
        }
        func turn(_ count: Int) {
            largest = 0
            for _ in 0..<count {
                guard let bytes = insider.seal(.control, [], flags: ControlFlags.wantsAck) else { return }
                bytes.withUnsafeBytes { world.server.engine.receive($0, from: link, now: world.now) }
            }
            world.settle(-1)
        }
        turn(100)
        #expect(largest >= Wire.minimumSealed + Wire.ackFrameSize)
        #expect(largest < Wire.minimumSealed + 2 * Wire.ackFrameSize)
        turn(200)
        #expect(largest >= Wire.minimumSealed + 2 * Wire.ackFrameSize)
    }
}
