import Packet
import Proto
import Testing

@testable import Engine

@Suite struct HandshakeTroublesTests {
    private func at(_ seconds: UInt64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    @Test func aMinuteIsCountedAndNoMore() {
        var count = RecentCount()
        #expect(count.count(at(0)) == 0 && count.count(at(1_000_000)) == 0)
        for second in UInt64(100)..<200 { count.note(at(second)) }
        #expect((60...70).contains(count.count(at(199))))
        #expect((1...20).contains(count.count(at(250))))
        #expect(count.count(at(270)) == 0)
        // After a silence of any length, old steps no longer count.
        count.note(at(100_000))
        #expect(count.count(at(100_000)) == 1)
        count.note(at(100_065))
        #expect(count.count(at(100_065)) <= 2 && count.count(at(100_080)) == 1)
        // Neither the end of time nor an earlier clock reading may trap.
        count.note(.latest)
        #expect(count.count(.latest) == 1 && count.count(at(100_000)) >= 0)
        count.note(at(5))
    }

    @Test func hostsWithOneKeyPushEachOtherOut() {
        let (a, b) = (Endpoint("192.0.2.1:1000")!, Endpoint("192.0.2.2:1000")!)
        var rivalry = SessionRivalry()
        // The same host again, and one whose session had died.
        rivalry.replaced([a], lastHeard: at(100), by: a, now: at(101))
        rivalry.replaced([a], lastHeard: at(100), by: b, now: at(111))
        rivalry.replaced([], lastHeard: at(100), by: b, now: at(101))
        #expect(rivalry.takeovers.count(at(111)) == 0)
        for second in UInt64(120)..<130 {
            rivalry.replaced(
                second % 2 == 0 ? [a] : [b], lastHeard: at(second), by: second % 2 == 0 ? b : a,
                now: at(second))
        }
        #expect(rivalry.takeovers.count(at(130)) == 10)
        #expect(rivalry.rivals?.0 == b && rivalry.rivals?.1 == a)
    }

    @Test func anHonestClientIsNoTrouble() throws {
        let world = try World(clients: [["100/10", "50/30"]], seed: 5)
        world.run(for: .seconds(200))
        let troubles = world.server.engine.handshakeTroubles(now: world.now)
        #expect(troubles.peers.isEmpty && troubles.unknownKeys == 0 && troubles.wrongServerKeys == 0)
        #expect(world.clients[0].engine.handshakeTroubles(now: world.now).unreadable == 0)
    }
}
