import Testing

@testable import Lab

@Suite("Pings") struct PingRunTests {
    private let run = PingRun(
        sent: 15,
        replies: [
            .init(sequence: 1, rtt: 20.5, time: 100), .init(sequence: 2, rtt: 21.5, time: 100.01),
            .init(sequence: 5, rtt: 19.5, time: 100.51), .init(sequence: 6, rtt: 19.5, time: 100.52),
        ], duplicates: 1)

    @Test func repliesLossesAndGaps() {
        #expect(run.lost == 11 && run.loss == 11.0 / 15)
        #expect(run.medianRTT == 20.5 && run.quantile(1) == 21.5)
        #expect(abs(run.largestGap - 500) < 0.01)
    }

    @Test func silenceIsCountedFromTheMomentOn() {
        #expect(abs(run.silence(after: 99) - 500) < 0.01)
        #expect(abs(run.silence(after: 100.2) - 310) < 0.01)
        #expect(abs(run.silence(after: 100.515) - 5) < 0.01)
        #expect(run.silence(after: 100.6) == .infinity)
        var cut = run
        cut.sent = 16
        #expect(cut.silence(after: 99) == .infinity)
    }

    @Test func nothingBackIsAResult() {
        let run = PingRun(sent: 3, replies: [], duplicates: 0)
        #expect(run.loss == 1 && run.medianRTT == nil && run.largestGap == 0)
        #expect(run.silence(after: 0) == .infinity)
    }

    /// RFC 1071's example; an odd byte counts as the high one.
    @Test func theChecksumIsTheInternets() {
        #expect(EchoTarget.checksum([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]) == ~0xddf2)
        #expect(EchoTarget.checksum([0x12]) == ~0x1200)
    }

    @Test func whatIsNoAddressIsRefused() {
        #expect(throws: LabError.badAddress("server")) { try EchoTarget("server") }
    }
}
