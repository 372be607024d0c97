import LinkModel
import Packet
import Testing

@testable import Simulation

@Suite("A QUIC-like flow over a bare link") struct QUICTransferTests {
    private static let share = 1337.0 / 1414

    @Test func itFillsALink() {
        let flow = BareLink(50, 10).run(QUICTransfer(from: .client))
        #expect(flow.megabits >= 0.93 * 50 * Self.share && flow.megabits <= 1.001 * 50 * Self.share)
        #expect(flow.spuriousShare == 0)
    }

    /// Reordering tolerated by TCP is too much for a threshold of three packets; 4 ms would not be for 1/8 of
    /// the round trip.
    @Test func threePacketsOutOfOrderAreTakenForALoss() {
        let link = BareLink(LinkShape(megabits: 50, milliseconds: 20)).reordering(2)
        let flow = link.run(QUICTransfer(from: .client))
        #expect(flow.spuriousShare > 0.001)
        #expect(flow.megabits < link.cubic().megabits / 2)
    }

    @Test func aSilentSecondIsSurvived() {
        var link = BareLink(20, 10)
        link.plan = link.plan.then(.isDown(true), at: 2).then(.isDown(false), at: 3)
        let flow = link.run(QUICTransfer(from: .client), settling: 5, seconds: 5)
        #expect(flow.megabits >= 0.9 * 20 * Self.share, "\(flow.megabits)")
    }

    /// Compares the receiver's ranges with a set.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func rangesAreWhatHasCome(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var receiver = QUICReceiver()
        var seen: Set<Int> = []
        var next = 0
        for _ in 0..<60 {
            let number =
                Int.random(in: 0..<4, using: &random) == 0 ? .random(in: 0...next, using: &random) : next
            next = max(next, number + .random(in: 1...2, using: &random))
            seen.insert(number)
            receiver.take(number, chunk: number, now: .zero)
        }
        let said = receiver.ranges.flatMap { Array($0.start..<$0.end) }
        #expect(receiver.ranges.count <= QUICReceiver.maximumRanges)
        if receiver.ranges.count < QUICReceiver.maximumRanges { #expect(Set(said) == seen) }
        #expect(said.count == Set(said).count && Set(said).isSubset(of: seen))
        #expect(zip(receiver.ranges, receiver.ranges.dropFirst()).allSatisfy { $0.start > $1.end })
        #expect(receiver.chunks == seen.count)
    }
}
