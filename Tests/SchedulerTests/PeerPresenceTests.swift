import Packet
import Scheduler
import Testing

@Suite struct PeerPresenceTests {
    private let start = Instant(nanoseconds: 50_000_000_000)

    private func rtt(_ milliseconds: Int64) -> RoundTripTime {
        var rtt = RoundTripTime()
        rtt.record(.milliseconds(milliseconds), now: start)
        return rtt
    }

    @Test func littleDataAsksForNothing() {
        var presence = PeerPresence()
        presence.book(Int(PeerPresence.freeBytes) - 1)
        #expect(presence.due(rtt(20)) == .never)
        presence.book(1)
        #expect(presence.due(rtt(20)) <= start)
    }

    @Test func withoutAnEchoCreditEnds() {
        var presence = PeerPresence()
        let rtt = rtt(20)
        var now = start
        var sent = 0
        var token: UInt64 = 0
        var closedAt: Instant?
        while now - start < .seconds(10) {
            if presence.due(rtt) <= now {
                token += 1
                presence.ask(token, now: now)
            }
            if presence.hasCredit {
                presence.book(1400)
                sent += 1400
            }
            if presence.closeIfSilent(rtt, now: now) { closedAt = now }
            now = now + .microseconds(100)
        }
        #expect(sent >= 4 << 20 && sent < 4 << 20 + 1400 && presence.isClosed)
        // 300 ms for 4 MB at this rate, and no more than the pause after that.
        #expect(closedAt.map { $0 - start < .milliseconds(700) } ?? false)
        // No peer is listening, so few tokens are spent on it.
        #expect(token < 60)
        let isStranger = presence.hear(token + 1, now: now)
        #expect(!isStranger && presence.isClosed)
        let isEcho = presence.hear(token, now: now)
        #expect(isEcho && presence.hasCredit)
    }

    /// A low rate, indefinitely: time closes the session if the credit does not.
    @Test func slowFloodsEndAfterThreeRoundTrips() {
        for (milliseconds, patience) in [(1, 2000), (900, 2700), (5000, 5000)] as [(Int64, Int64)] {
            var presence = PeerPresence()
            let rtt = rtt(milliseconds)
            var now = start
            var sent = 0
            while !presence.isClosed && now - start < .seconds(30) {
                if presence.due(rtt) <= now { presence.ask(1, now: now) }
                presence.book(1400)
                sent += 1400
                _ = presence.closeIfSilent(rtt, now: now)
                now = now + .milliseconds(10)
            }
            let time = now - start - .milliseconds(patience)
            #expect((.zero...(.milliseconds(500))).contains(time), "\(milliseconds) ms: \(time)")
        }
    }

    /// An echo proves receipt of the data sent before its token, not of later data.
    @Test func anOldEchoGivesNoNewCredit() {
        var presence = PeerPresence()
        presence.ask(7, now: start)
        presence.book(4 << 20)
        #expect(presence.hasCredit == false)
        // As much as in 10 ms repeatedly would be a round trip's; it is delayed by 10 s.
        let isEcho = presence.hear(7, now: start + .seconds(10))
        #expect(isEcho)
        #expect(presence.unproven == 4 << 20 && !presence.hasCredit)
    }

    /// The credit grows with a path that holds more than 4 MB.
    @Test func aLongFastPathHasCreditForItsRoundTrip() {
        for (rate, milliseconds) in [(625_000_000, 300), (125_000_000, 800), (625_000_000, 1)]
            as [(Int, Int64)]
        {
            var presence = PeerPresence()
            let rtt = rtt(milliseconds)
            var now = start
            var echoes: [(at: Instant, token: UInt64)] = []
            var token: UInt64 = 0
            var stopped = 0
            var closed = 0
            // The rate doubles with each round trip, from 100 kB/s.
            var current = 100_000.0
            while now - start < .seconds(12) {
                while let first = echoes.first, first.at <= now {
                    _ = presence.hear(first.token, now: now)
                    echoes.removeFirst()
                }
                if presence.due(rtt) <= now {
                    token += 1
                    presence.ask(token, now: now)
                    echoes.append((now + .milliseconds(milliseconds), token))
                }
                current = min(Double(rate), current * (1 + 0.0007 / max(Double(milliseconds) / 1000, 0.01)))
                if presence.hasCredit { presence.book(Int(saturating: current / 1000)) } else { stopped += 1 }
                if presence.closeIfSilent(rtt, now: now) { closed += 1 }
                now = now + .milliseconds(1)
            }
            #expect(stopped == 0 && closed == 0, "\(rate) B/s, \(milliseconds) ms: stopped for \(stopped) ms")
        }
    }
}
