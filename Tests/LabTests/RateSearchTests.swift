import Testing

@testable import Lab

@Suite("Search for a rate") struct RateSearchTests {
    /// A link with a capacity in packets per second, and a sender with a maximum rate.
    struct FakeLink {
        var capacity: Double
        var sender = Double.infinity

        func carry(_ trial: RateSearch.Trial) -> PacketFlow {
            let offered = min(trial.rate, sender)
            let (sent, received) = (offered * trial.seconds, min(offered, capacity) * trial.seconds)
            return PacketFlow(
                sent: Int(sent), refused: 0, received: Int(received), duplicates: 0, outOfOrder: 0,
                sendingSeconds: trial.seconds, seconds: trial.seconds)
        }
    }

    /// Runs a search to its end; `disturb` may change a trial's result. Also returns the number of trials.
    private func search(
        _ link: FakeLink, _ disturb: (Int, inout PacketFlow) -> Void = { _, _ in }
    ) throws -> (result: PacketFlow?, trials: [RateSearch.Trial]) {
        var search = RateSearch()
        var trials: [RateSearch.Trial] = []
        while let trial = search.next {
            trials.append(trial)
            try #require(trials.count < 60, "the search does not end")
            var flow = link.carry(trial)
            disturb(trials.count, &flow)
            search.note(flow)
        }
        return (search.result, trials)
    }

    @Test(arguments: [3_000.0, 49_000, 50_000, 51_000, 99_999, 170_000, 1_234_567])
    func findsWhatTheLinkCarries(_ capacity: Double) throws {
        let (result, trials) = try search(FakeLink(capacity: capacity))
        let rate = try #require(result).delivered
        #expect(rate <= capacity * 1.001 && rate > capacity * 0.96, "\(rate) of \(capacity)")
        #expect(try #require(result).loss <= RateSearch.tolerance)
        #expect(trials.last?.seconds == 3)
        #expect(trials.count < 25)
    }

    @Test func theSendersLimitIsTheResult() throws {
        let rate = try #require(search(FakeLink(capacity: .infinity, sender: 130_000)).result).delivered
        #expect(rate > 125_000 && rate <= 130_001)
    }

    @Test func aHiccupIsForgiven() throws {
        // Half a percent lost, once: in the first trial, where the search would reverse.
        let (result, trials) = try search(FakeLink(capacity: 170_000)) { number, flow in
            if number == 1 { flow.received -= flow.sent / 200 }
        }
        #expect(trials[0] == trials[1])
        #expect(try #require(result).delivered > 163_000)
    }

    @Test func aLateSenderIsForgivenOnce() throws {
        let (result, trials) = try search(FakeLink(capacity: 170_000)) { number, flow in
            if number == 2 {
                flow.sent = flow.sent / 2
                flow.received = flow.sent
            }
        }
        #expect(trials[1] == trials[2])
        #expect(try #require(result).delivered > 163_000)
    }

    @Test func whatIsNotConfirmedGoesDown() throws {
        // Long trials lose more than short ones.
        let (result, trials) = try search(FakeLink(capacity: 170_000)) { _, flow in
            if flow.sendingSeconds == 3, flow.offered > 120_000 { flow.received -= flow.sent / 20 }
        }
        let rate = try #require(result).delivered
        #expect(rate <= 120_000 && rate > 99_000)
        #expect(trials.filter { $0.seconds == 3 }.count > 1)
    }

    @Test func nothingThroughEnds() throws {
        let (result, trials) = try search(FakeLink(capacity: 0))
        #expect(result == nil && trials.count < 15)
    }
}
