import Packet
import Scheduler
import Testing

@Suite struct PathLivenessTests {
    private func rtt(_ milliseconds: Int64) -> RoundTripTime {
        var rtt = RoundTripTime()
        for _ in 0..<50 { rtt.record(.milliseconds(milliseconds), now: ProbedPath.start) }
        return rtt
    }

    @Test func aNewPathIsProbedAtOnceAndComesUpWithTheFirstAnswer() {
        let path = ProbedPath()
        #expect(path.state == .probing && !path.isUp)
        #expect(path.probes(until: 2100) == [0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1400, 1900])
        #expect(path.answered(2200))
        #expect(path.isUp && path.probeDue == .never && path.since == ProbedPath.at(2200))
    }

    @Test func aSuspectPathIsProbedAtLeastThriceAndGivenUpAfter250Milliseconds() {
        let path = ProbedPath.up()
        #expect(path.stayedSilent(0))
        #expect(path.state == .suspect && !path.isUp)
        #expect(!path.stayedSilent(1), "only once")
        #expect(path.givesUpAt(rtt(10)) == .never, "not before its probes are out")
        #expect(path.probes(until: 39) == [0, 20])
        #expect(path.givesUpAt(rtt(10)) == .never, "not before three are out")
        #expect(
            path.probes(until: 1000) == [40, 60, 80, 100, 120, 140, 160, 180, 200, 220],
            "a burst swallows a few")
        // The third probe at 40 ms has at least 80 ms, which is less than 250 in all.
        #expect(path.givesUpAt(rtt(10)) == ProbedPath.at(250))
        // With 300 ms of round trip the third probe's time ends later: 40 + 300 + 25 (the variation has died
        // down).
        #expect((ProbedPath.at(365)...ProbedPath.at(370)).contains(path.givesUpAt(rtt(300))))
        #expect(path.fail(250) && path.state == .down)
        #expect(!path.fail(251), "no news")
    }

    @Test func aSuspectPathThatAnswersIsUpAtOnce() {
        let path = ProbedPath.up()
        path.stayedSilent(0)
        #expect(path.answered(30) && path.isUp)
    }

    @Test func aPathThatWasDownNeedsThreeAnswersOver300Milliseconds() {
        let path = ProbedPath.up()
        path.fail(20_000)
        #expect(path.probes(until: 20_800) == [20_000, 20_250, 20_500, 20_750])
        #expect(!path.answered(21_000))
        #expect(path.probes(until: 21_250) == [21_100, 21_200])
        #expect(!path.answered(21_100))
        #expect(!path.answered(21_200), "three answers, but too fast")
        #expect(path.answered(21_300) && path.isUp)
    }

    @Test func theOnlyPathComesUpWithTheFirstAnswer() {
        let path = ProbedPath.up()
        path.fail(20_000)
        #expect(path.answered(20_100, alone: true) && path.isUp)
    }

    /// A path that fails repeatedly within 10 s waits 2, 4, 8, 16, 30 s; one stable period resets that.
    @Test func flappingHoldsAPathBack() {
        let path = ProbedPath.up()
        var now: Int64 = 0
        /// Fails, and answers every 100 ms until it is up; returns how long that takes.
        func outage() -> Int64 {
            path.fail(now)
            let failed = now
            while !path.isUp {
                now += 100
                path.answered(now)
            }
            return now - failed
        }
        for hold: Int64 in [2000, 4000, 8000, 16_000, 30_000, 30_000] {
            now += 1000
            #expect((hold...hold + 200).contains(outage()), "hold \(hold) ms")
        }
        now += 11_000
        #expect(outage() <= 500)
    }

    @Test func aNudgeProbesAtOnce() {
        let path = ProbedPath.up()
        path.fail(0)
        path.probeLeft(0)
        path.nudge(10)
        #expect(path.probeDue == ProbedPath.at(10))
    }
}
