import Packet
import Testing

@testable import Simulation

@Suite("The sending end of TCP") struct TCPSenderTests {
    /// A sender after six round trips of 20 ms.
    private func grown() -> (TCPSender<CubicControl>, Instant) {
        var sender = TCPSender(control: CubicControl(), window: 1024)
        var now = Instant(nanoseconds: 1_000_000_000)
        for _ in 0..<6 {
            while sender.next(now: now) != nil {}
            now = now + .milliseconds(20)
            sender.take(Segment(acknowledged: sender.board.next), now: now)
        }
        return (sender, now)
    }

    /// Sends a window, of which the first segment is late and the others arrive.
    private func loseFirst(_ sender: inout TCPSender<CubicControl>, _ now: inout Instant) -> Int {
        while sender.next(now: now) != nil {}
        let first = sender.board.oldest
        now = now + .milliseconds(20)
        sender.take(
            Segment(acknowledged: first, blocks: [.init(start: first + 1, end: sender.board.next)]), now: now)
        return first
    }

    @Test func aHoleIsSentAgainAtOnceAndCostsThreeTenths() {
        var (sender, now) = grown()
        let before = sender.window
        let first = loseFirst(&sender, &now)
        #expect(sender.state == .recovery && sender.board.lost == 1)
        #expect(sender.next(now: now) == first)
        let echo = TCPSender<CubicControl>.timestamp(now)
        now = now + .milliseconds(20)
        sender.take(Segment(acknowledged: sender.board.next, echo: echo), now: now)
        #expect(sender.state == .open && sender.undone == 0)
        #expect(abs(Double(sender.window) - Double(before) * 0.7) <= 2, "\(before) → \(sender.window)")
    }

    /// RFC 3522: an ACK whose echo is older than the retransmission answers the original transmission.
    @Test func anOldEchoTakesItBack() {
        var (sender, now) = grown()
        let before = sender.window
        let echo = TCPSender<CubicControl>.timestamp(now)
        let first = loseFirst(&sender, &now)
        #expect(sender.next(now: now) == first)
        now = now + .milliseconds(2)
        sender.take(Segment(acknowledged: sender.board.next, echo: echo), now: now)
        #expect(sender.undone == 1 && sender.state == .open)
        #expect(sender.window >= before)
    }

    /// RFC 3708: all retransmitted segments had already arrived.
    @Test func aDuplicateTakesItBack() {
        var (sender, now) = grown()
        let before = sender.window
        let first = loseFirst(&sender, &now)
        #expect(sender.next(now: now) == first)
        now = now + .milliseconds(20)
        let next = sender.board.next
        sender.take(
            Segment(
                acknowledged: next, echo: .max, blocks: [.init(start: first, end: first + 1)]), now: now)
        #expect(sender.undone == 1 && sender.window >= before)
    }

    @Test func theTailIsProbedOnceBeforeTheTimeout() {
        var (sender, now) = grown()
        while sender.next(now: now) != nil {}
        let start = now
        let highest = sender.board.next
        now = sender.due
        // Twice the round trip.
        #expect(now - start >= .milliseconds(40) && now - start < .milliseconds(60))
        sender.fire(now: now)
        #expect(sender.next(now: now) == highest && sender.next(now: now) == nil)
        now = sender.due
        #expect(now - start >= .milliseconds(200))
        sender.fire(now: now)
        #expect(sender.timeouts == 1 && sender.state == .loss)
        #expect(sender.next(now: now) == sender.board.oldest)
    }

    @Test func anEchoShrinksTheWindowOnceARoundTrip() {
        var (sender, now) = grown()
        let before = sender.window
        while sender.next(now: now) != nil {}
        now = now + .milliseconds(20)
        let sent = sender.board.next
        for number in stride(from: sender.board.oldest + 2, to: sent, by: 2) {
            sender.take(Segment(acknowledged: number, echoesCongestion: true), now: now)
            if sender.next(now: now) != nil && sender.takeWindowReduced() { #expect(sender.recoveries == 1) }
        }
        sender.take(Segment(acknowledged: sent), now: now)
        #expect(sender.recoveries == 1 && sender.undone == 0)
        #expect(abs(Double(sender.window) - Double(before) * 0.7) <= 2, "\(before) → \(sender.window)")
    }
}
