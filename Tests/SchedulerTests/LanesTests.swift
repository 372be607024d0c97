import Scheduler
import Testing

@Suite struct LanesTests {
    /// A lane of `megabits` and `delay` in ms.
    private func lane(_ megabits: Double, _ delay: Double, backlog: Int = 0, score: Double = 0) -> Lanes.Lane
    {
        var lane = Lanes.Lane()
        lane.isUsable = true
        lane.cost = 8000 / megabits
        lane.delay = delay * 1e6
        lane.backlog = backlog
        lane.score = score
        return lane
    }

    @Test func noPathIsChosenWhereNoneIsUsable() {
        var lanes = Lanes()
        #expect(lanes.earliest(1000) == nil && lanes.preferred(1000) == nil)
        lanes[3] = Lanes.Lane()
        lanes.align()
        #expect(lanes.earliest(1000) == nil && lanes.preferred(1000) == nil)
    }

    @Test func thePacketGoesWhereItArrivesFirst() {
        var lanes = Lanes()
        lanes[0] = lane(100, 10)
        lanes[1] = lane(100, 5)
        lanes.align()
        #expect(lanes.earliest(1250) == 1)
        // 5 ms more delay are compensated by 62,500 bytes less backlog.
        lanes[1].backlog = 62_400
        lanes.align()
        #expect(lanes.earliest(1250) == 1)
        lanes[1].backlog = 62_600
        lanes.align()
        #expect(lanes.earliest(1250) == 0)
    }

    @Test func aPathTakesNothingThatIsTooLargeForIt() {
        var lanes = Lanes()
        lanes[0] = lane(100, 5, score: 1)
        lanes[0].limit = 1156
        lanes[1] = lane(10, 50, score: 2)
        lanes[1].limit = 1400
        lanes.align()
        for (bytes, path) in [(1156, 0), (1157, 1), (1400, 1), (1401, nil)] as [(Int, Int?)] {
            #expect(lanes.earliest(bytes) == path && lanes.soonest(bytes) == path, "\(bytes)")
            #expect(lanes.preferred(bytes) == path && lanes.best(bytes) == path, "\(bytes)")
        }
        #expect(lanes.soonest(1157, but: 1) == nil)
    }

    @Test func aPathTakesNoMoreThanItsHorizon() {
        var lanes = Lanes()
        lanes[0] = lane(100, 5)
        lanes.align()
        var given = 0
        while lanes.earliest(1250) != nil && given < 1000 {
            lanes[0].backlog += 1250
            given += 1
        }
        // 3 ms of slack at 100 Mbit/s are 37,500 bytes; the 1500 bytes of its own next packet, and the one that crosses it.
        #expect(given == 32)
    }

    @Test func repairsLeaveRoomAndSpreadWhenThereAreMany() {
        var lanes = Lanes()
        lanes[0] = lane(100, 10)
        lanes[1] = lane(50, 30)
        // A single repair uses the path where it arrives first. Of 100 kB the last would take 8 ms there, which
        // makes no other path worthwhile.
        #expect(lanes.repairing(1000, of: 1000) == 0 && lanes.repairing(1000, of: 100_000) == 0)
        // 1 ms of them is enough for now.
        lanes[0].urgent = 12_400
        #expect(lanes.repairing(1000, of: 100_000) == 0)
        lanes[0].urgent = 12_600
        #expect(lanes.repairing(1000, of: 100_000) == nil && lanes[0].hasUrgentRoom)
        // Of 1 MB the last would take 80 ms: meanwhile the other path helps.
        #expect(lanes.repairing(1000, of: 1_000_000) == 1)
        lanes[1].urgent = 7000
        #expect(lanes.repairing(1000, of: 1_000_000) == nil)
        // A slow path takes one at a time.
        lanes[1] = lane(1, 30)
        #expect(lanes.repairing(1000, of: 1_000_000) == 1)
        lanes[1].urgent = 1000
        #expect(lanes.repairing(1000, of: 1_000_000) == nil)
    }

    @Test func preferredTakesTheBestScoreWithRoom() {
        var lanes = Lanes()
        lanes[0] = lane(100, 5, score: 2)
        lanes[1] = lane(100, 50, score: 1)
        #expect(lanes.preferred(1250) == 1)
        lanes[1].backlog = 260_000
        #expect(lanes.preferred(1250) == 0)
        lanes[0].backlog = 260_000
        #expect(lanes.preferred(1250) == nil)
    }

    /// At 0.3 Mbit/s a packet of 1400 bytes takes 37 ms, more than the limit: it must be sent nevertheless.
    @Test func preferredUsesASlowPath() {
        var lanes = Lanes()
        lanes[0] = lane(0.3, 5)
        #expect(lanes.preferred(1400) == 0)
        lanes[0].backlog = 1400
        #expect(lanes.preferred(1400) == nil)
    }

    @Test func copiesGoWhereTheyArriveFirst() {
        var lanes = Lanes()
        for (i, delay) in [30.0, 10, 20, 40].enumerated() { lanes[i] = lane(50, delay) }
        #expect(lanes.copies(1250, limit: 0) == 0b1111)
        #expect(lanes.copies(1250, limit: 1) == 0b0010)
        #expect(lanes.copies(1250, limit: 2) == 0b0110)
        #expect(lanes.copies(1250, limit: 3) == 0b0111)
        #expect(lanes.copies(1250, limit: 9) == 0b1111)
        // 20 ms of backlog on the best: it is the third now.
        lanes[1].backlog = 160_000
        #expect(lanes.copies(1250, limit: 2) == 0b0101)
        lanes[2].isUsable = false
        #expect(lanes.copies(1250, limit: 2) == 0b0011)
    }

    /// A path that is 100 ms behind gets none until it has caught up, and none does while all are busy.
    @Test func copiesWaitForNoPathAndForAll() {
        var lanes = Lanes()
        lanes[0] = lane(50, 10)
        lanes[1] = lane(1, 10, backlog: 12_600)
        #expect(lanes.copies(1250, limit: 0) == 0b01 && lanes.copies(1250, limit: 2) == 0b01)
        lanes[1].backlog = 12_400
        #expect(lanes.copies(1250, limit: 0) == 0b11)
        lanes[0].backlog = 40_000
        #expect(lanes.copies(1250, limit: 0) == 0)
    }

    @Test func whatIsRemovedIsNotChosen() {
        var lanes = Lanes()
        lanes[0] = lane(10, 50)
        lanes[1] = lane(100, 5, score: -1)
        lanes.removeAll()
        lanes[0] = lane(10, 50)
        lanes.align()
        #expect(lanes.earliest(1250) == 0 && lanes.preferred(1250) == 0)
    }

    /// A bulk flow takes the next path as soon as the nearest has 3 ms of backlog, but none beyond its reach.
    @Test func aBulkFlowIsSpreadOverNearPaths() {
        var lanes = Lanes()
        for (i, delay) in [10.0, 30, 60].enumerated() {
            lanes[i] = lane(100, delay)
            lanes[i].floor = delay * 1e6
            lanes[i].roundTrip = delay * 2e6
        }
        lanes.align()
        #expect(lanes.roundTrip == 20e6 && lanes.lead(of: 1) == 20e6)
        #expect(lanes.spread(1250, within: 20e6) == 0)
        lanes[0].backlog = 39_100
        #expect(lanes.earliest(1250) == 0, "others wait for the faster path")
        #expect(lanes.spread(1250, within: 20e6) == 1 && lanes.spread(1250, within: 19e6) == nil)
        lanes[1].backlog = 39_100
        #expect(lanes.spread(1250, within: 20e6) == nil && lanes.spread(1250, within: 50e6) == 2)
        // At 3 Mbit/s a packet takes 4 ms; a second one must be there when it has left.
        var slow = Lanes()
        slow[0] = lane(3, 10, backlog: 1400)
        slow[0].floor = 10e6
        slow.align()
        #expect(slow.spread(1400, within: 0) == 0)
        // A path whose delay is not known, or whose losses are repaired late, takes no part.
        lanes[2].floor = .infinity
        lanes.align()
        #expect(lanes.spread(1250, within: 50e6) == nil)
    }

    /// What arrives before the slowest path that takes part would bring it is kept for the difference.
    @Test func packetsAreKeptForWhatTheyAreEarly() {
        var lanes = Lanes()
        for (i, delay) in [10.0, 30].enumerated() {
            lanes[i] = lane(100, delay)
            lanes[i].floor = delay * 1e6
        }
        lanes.align()
        // 1250 bytes take 0.1 ms.
        #expect(lanes.surplus(of: 1250, on: 0, isUrgent: false, lead: 20e6) == 19.9e6)
        #expect(lanes.surplus(of: 1250, on: 1, isUrgent: false, lead: 20e6) < 0)
        lanes[0].backlog = 125_000
        #expect(lanes.surplus(of: 1250, on: 0, isUrgent: false, lead: 20e6) == 9.9e6)
        #expect(lanes.surplus(of: 1250, on: 0, isUrgent: true, lead: 20e6) == 19.9e6)
        // Not for a path that is gone.
        lanes[1].floor = .infinity
        lanes.align()
        #expect(lanes.surplus(of: 1250, on: 0, isUrgent: true, lead: 20e6) < 0)
    }
}
