import Packet
import Scheduler
import Testing

@Suite struct ReceivedPacketsTests {
    private let start = Instant(nanoseconds: 10_000_000_000)

    private func record(
        _ received: inout ReceivedPackets, _ number: UInt64, _ ms: Int64, eliciting: Bool = true
    ) {
        received.record(
            number, bytes: 100, eliciting: eliciting, now: start + .milliseconds(ms), rtt: RoundTripTime())
    }

    @Test func anAckIsDueAfter5MillisecondsOr32PacketsOrAGap() {
        var received = ReceivedPackets()
        #expect(received.ackDue == .never && received.state == nil)
        record(&received, 0, 0, eliciting: false)
        #expect(received.ackDue == .never)
        record(&received, 1, 1)
        record(&received, 2, 2)
        #expect(received.ackDue == start + .milliseconds(6), "5 ms from the first that asks")
        for number in UInt64(3)..<32 { record(&received, number, 3) }
        #expect(received.ackDue == start + .milliseconds(6))
        record(&received, 32, 3)
        #expect(received.ackDue == start + .milliseconds(3), "the 32nd")
        received.ackLeft()
        #expect(received.ackDue == .never)
        record(&received, 34, 4)
        #expect(received.ackDue == start + .milliseconds(4), "a gap")
        received.ackLeft()
        record(&received, 33, 5)
        #expect(received.ackDue == start + .milliseconds(10), "what fills a gap is in no hurry")
        #expect(received.state?.packets == 35 && received.state?.bytes == 3500)
        #expect(received.state?.highest == 34 && received.state?.highestTime == start + .milliseconds(4))
    }

    @Test func anAckThatReportsAGapOrAnswersAPINGIsUrgent() {
        var received = ReceivedPackets()
        for number in UInt64(0)..<40 { record(&received, number, 0) }
        #expect(!received.isUrgent)
        record(&received, 41, 1)
        #expect(received.isUrgent)
        received.ackLeft()
        record(&received, 42, 1)
        #expect(!received.isUrgent)
        record(&received, 43, 1)
        #expect(received.isUrgent, "three are above the missing one")
        received.ackLeft()
        received.hurry(now: start)
        #expect(received.isUrgent)
    }

    @Test func theDelayIsAQuarterOfTheRoundTripUpTo25Milliseconds() {
        for (rtt, delay) in [(10, 5), (40, 10), (100, 25), (900, 25)] as [(Int64, Int64)] {
            var time = RoundTripTime()
            time.record(.milliseconds(rtt), now: start)
            var received = ReceivedPackets()
            received.record(0, bytes: 1, eliciting: true, now: start, rtt: time)
            #expect(received.ackDue == start + .milliseconds(delay))
        }
    }

    /// A receiver that takes 256 datagrams at a time sends an ACK for each 256. The loss of one does not count
    /// as a loss of 256 datagrams.
    @Test func anAckThatIsLostTakesNoOthersAlong() {
        let line = SentLine()
        var received = ReceivedPackets()
        for number in UInt64(0)..<256 {
            line.send()
            record(&received, number, 1)
        }
        #expect(received.stateToRepeat == nil, "there was none before")
        received.ackLeft()  // and is lost
        for number in UInt64(256)..<512 {
            line.send()
            record(&received, number, 2)
            let repeats = number >= 256 + UInt64(ReceivedPackets.packetsPerRepeat)
            #expect((received.stateToRepeat != nil) == repeats)
        }
        let before = received.stateToRepeat
        #expect(before?.highest == 255 && before?.packets == 256 && before?.bytes == 25_600)
        #expect(before?.highestTime == start + .milliseconds(1))
        let first = line.acknowledge(Array(0...255))
        let second = line.acknowledge(Array(0...511))
        #expect(first?.acknowledged == 256 && first?.lost == 0)
        #expect(second?.acknowledged == 256 && second?.lost == 0)
        #expect(line.pool.inUse == 0)
    }
}
