import Packet
import Scheduler
import Testing

@Suite struct FlowSpreadTests {
    private let start = Instant(nanoseconds: 1_000_000_000_000)

    @Test func onlyAFlowThatSendsALotIsBulk() {
        var flow = FlowSpread()
        // A call: 200 bytes every 20 ms, for ten minutes, with a pause now and then.
        for i in 0..<30_000 {
            let pause = Interval.seconds(Int64(i / 1000) * 2)
            flow.send(200, now: start + .milliseconds(Int64(i) * 20) + pause)
            if flow.isBulk { break }
        }
        #expect(!flow.isBulk)
        let later = start + .seconds(1000)
        for i in 0..<400 { flow.send(1400, now: later + .milliseconds(Int64(i))) }
        #expect(flow.isBulk)
        flow.send(1400, now: later + .seconds(3))
        #expect(!flow.isBulk, "a pause ends it")
    }

    @Test func aDelayLastsAsLongAsItIsNeeded() {
        var flow = FlowSpread()
        #expect(flow.lead(now: start) == .zero)
        flow.use(.milliseconds(20), now: start)
        // A path that is nearer leaves it as it is, and does not prolong it.
        flow.use(.milliseconds(5), now: start + .seconds(10))
        #expect(flow.lead(now: start + .seconds(14)) == .milliseconds(20))
        #expect(flow.lead(now: start + .seconds(16)) == .zero)
        flow.use(.milliseconds(20), now: start + .seconds(20))
        flow.use(.milliseconds(19), now: start + .seconds(30))
        #expect(flow.lead(now: start + .seconds(40)) == .milliseconds(20))
    }

    /// A flow's delay at most doubles, and doubles again when its sender has forgotten the shorter one.
    @Test func farPathsJoinStepByStep() {
        var flow = FlowSpread()
        let (trip, slack) = (Interval.milliseconds(20), Interval.milliseconds(3))
        #expect(flow.reach(roundTrip: trip, isScalable: false, now: start) == trip + slack)
        for i in 0..<100 { flow.use(.milliseconds(20), now: start + .milliseconds(Int64(i) * 100)) }
        let before = start + .seconds(10)
        #expect(flow.reach(roundTrip: trip, isScalable: false, now: before) == trip + slack)
        let after = start + .seconds(12)
        #expect(flow.reach(roundTrip: trip, isScalable: false, now: after) == trip * 3 + slack)
        #expect(flow.reach(roundTrip: trip, isScalable: true, now: after) == trip + slack)
        flow.use(.milliseconds(50), now: after)
        #expect(flow.reach(roundTrip: trip, isScalable: false, now: after) == .milliseconds(50) + slack)
    }
}
