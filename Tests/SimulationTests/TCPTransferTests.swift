import LinkModel
import Packet
import Testing

@testable import Simulation

@Suite("TCP over a bare link") struct TCPTransferTests {
    /// The share that framing leaves on a bare link: 1348 of 1414 bytes.
    private static let share = 1348.0 / 1414

    @Test(arguments: [(50.0, 10.0), (20.0, 30.0), (10.0, 100.0)])
    func cubicFillsALinkWhoseQueueIsItsRoundTrip(_ rate: Double, _ delay: Double) {
        let flow = BareLink(rate, delay).cubic()
        #expect(flow.megabits >= 0.95 * rate * Self.share, "\(flow.megabits) of \(rate) Mbit/s")
        #expect(flow.megabits <= 1.001 * rate * Self.share)
        #expect(flow.sender.timeouts == 0)
    }

    /// Slow start ends by the growing delay, before the queue is full (HyStart).
    @Test func slowStartEndsBeforeTheQueueIsFull() {
        let flow = BareLink(50, 20) { $0.queue = 400_000_000 }.cubic(settling: 0, seconds: 1)
        #expect(flow.sender.threshold < .max)
        #expect(flow.sender.recoveries == 0)
    }

    /// Mathis et al. 1997: MSS / RTT × 1.22 / √p, with CUBIC's growth that of Reno where the window is small.
    @Test(arguments: [0.005, 0.02])
    func randomLossCostsWhatMathisSays(_ loss: Double) {
        let flow = BareLink(100, 20) { $0.loss = loss }.run(
            TCPTransfer(from: .client, control: CubicControl()), seconds: 20)
        // Losses occur in both directions; those of ACKs cost little.
        let expected = 1348.0 * 8 / 0.040 * 1.22 / loss.squareRoot() / 1e6
        #expect(
            flow.megabits > 0.6 * expected && flow.megabits < 1.4 * expected, "\(flow.megabits), \(expected)")
    }

    @Test func bbrDoesNotMindLoss() {
        let link = BareLink(50, 20) { $0.loss = 0.02 }
        let flow = link.run(TCPTransfer(from: .client, control: BBR()))
        #expect(flow.megabits >= 0.8 * 50 * Self.share, "\(flow.megabits)")
        #expect(link.cubic().megabits < flow.megabits / 5)
    }

    @Test func bbrFillsALinkAndLeavesItsQueueEmpty() {
        let link = BareLink(50, 20) { $0.queue = 200_000_000 }
        let flow = link.run(TCPTransfer(from: .client, control: BBR()))
        #expect(flow.megabits >= 0.9 * 50 * Self.share, "\(flow.megabits)")
        #expect(flow.sender.rtt < .milliseconds(60))
        // Cubic fills the queue.
        #expect(link.cubic().sender.rtt > .milliseconds(100))
    }

    /// Packets up to 8 ms out of order, a quarter of the round trip of 36 ms being 9.
    @Test func reorderingBelowAQuarterOfTheRoundTripIsTolerated() {
        let flow = BareLink(LinkShape(megabits: 50, milliseconds: 20)).reordering(4).cubic()
        #expect(flow.receiver.outOfOrder > 1000)
        #expect(flow.megabits >= 0.95 * 50 * Self.share, "\(flow.megabits)")
        #expect(flow.sender.recoveries <= 3)
    }

    /// Spurious recoveries are detected and undone.
    @Test func recoveriesByMistakeAreUndone() {
        let flow = BareLink(LinkShape(megabits: 50, milliseconds: 20)).reordering(18).cubic()
        #expect(flow.sender.recoveries > 0 && flow.sender.undone > 0)
        #expect(flow.megabits >= 0.5 * 50 * Self.share, "\(flow.megabits)")
    }

    @Test func aSilentSecondIsATimeoutAndThenItGoesOn() {
        var link = BareLink(20, 10)
        link.plan = link.plan.then(.isDown(true), at: 2).then(.isDown(false), at: 3)
        let flow = link.cubic(settling: 5, seconds: 5)
        #expect(flow.sender.timeouts >= 1)
        #expect(flow.megabits >= 0.9 * 20 * Self.share, "\(flow.megabits)")
    }
}

extension BareLink {
    /// The same link, on whose upward direction packets within `2 × jitter` ms overtake one another.
    func reordering(_ jitter: UInt64) -> BareLink {
        var link = self
        link.plan.up.jitter = jitter * 1_000_000
        link.plan.up.reorders = true
        return link
    }
}
