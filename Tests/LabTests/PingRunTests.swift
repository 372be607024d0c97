import Testing

@testable import Lab

@Suite("Reading ping") struct PingRunTests {
    @Test func repliesLossesCopiesAndGaps() throws {
        let run = try PingRun(
            output: """
                PING 10.100.0.2 (10.100.0.2) 56(84) bytes of data.
                [1700000000.000000] 64 bytes from 10.100.0.2: icmp_seq=1 ttl=64 time=20.5 ms
                [1700000000.010000] 64 bytes from 10.100.0.2: icmp_seq=2 ttl=64 time=21.5 ms
                [1700000000.011000] 64 bytes from 10.100.0.2: icmp_seq=2 ttl=64 time=22.0 ms (DUP!)
                [1700000000.510000] 64 bytes from 10.100.0.2: icmp_seq=5 ttl=64 time=19.5 ms

                --- 10.100.0.2 ping statistics ---
                5 packets transmitted, 3 received, +1 duplicates, 40% packet loss, time 40ms
                """)
        #expect(run.sent == 5 && run.lost == 2 && run.loss == 0.4 && run.duplicates == 1)
        #expect(run.replies.map(\.sequence) == [1, 2, 5])
        #expect(run.medianRTT == 20.5 && run.quantile(1) == 21.5)
        #expect(abs(run.largestGap - 500) < 0.01)
    }

    @Test func nothingBackIsAResultAndGarbageIsNot() throws {
        let run = try PingRun(output: "3 packets transmitted, 0 received, 100% packet loss, time 20ms")
        #expect(run.loss == 1 && run.medianRTT == nil && run.largestGap == 0)
        #expect(throws: LabError.unreadable(program: "ping", output: "hello")) {
            try PingRun(output: "hello")
        }
    }
}
