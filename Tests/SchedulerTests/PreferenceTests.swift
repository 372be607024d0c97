import Packet
import Testing

@testable import Scheduler

@Suite struct PreferenceTests {
    /// Lanes with these scores; infinite for an unusable path.
    private func lanes(_ scores: [Double]) -> Lanes {
        var lanes = Lanes()
        for (i, score) in scores.enumerated() {
            var lane = Lanes.Lane()
            lane.score = score
            lanes[i] = lane
        }
        return lanes
    }

    private func at(_ ms: Int64) -> Instant { Instant(nanoseconds: 1) + .milliseconds(ms) }

    @Test func theFirstChoiceIsTheBest() {
        var preference = Preference()
        preference.update(lanes([.infinity, .infinity]), now: at(0))
        #expect(preference.path == nil)
        preference.update(lanes([30, 20, 25]), now: at(0))
        #expect(preference.path == 1)
    }

    @Test func aLittleBetterIsNotEnough() {
        var preference = Preference()
        preference.update(lanes([20, 30]), now: at(0))
        for ms in stride(from: Int64(0), to: 20_000, by: 100) {
            preference.update(lanes([20, 17.5]), now: at(ms))
            #expect(preference.path == 0)
        }
    }

    @Test func muchBetterFor3SecondsIs() {
        var preference = Preference()
        preference.update(lanes([20, 30]), now: at(0))
        for ms in stride(from: Int64(0), to: 3000, by: 10) {
            preference.update(lanes([20, 10]), now: at(ms))
            #expect(preference.path == 0)
        }
        preference.update(lanes([20, 10]), now: at(3000))
        #expect(preference.path == 1)
    }

    @Test func theTimeBeginsAnewWithEachInterruption() {
        var preference = Preference()
        preference.update(lanes([20, 30]), now: at(0))
        for ms in stride(from: Int64(0), to: 60_000, by: 100) {
            preference.update(lanes([20, ms % 2900 == 0 ? 18 : 10]), now: at(ms))
            #expect(preference.path == 0)
        }
    }

    /// Each of the others has its own timer.
    @Test func theBestOfThoseThatHaveHeldOnIsTaken() {
        var preference = Preference()
        preference.update(lanes([100, 200, 200]), now: at(0))
        preference.update(lanes([100, 50, 200]), now: at(100))
        preference.update(lanes([100, 50, 20]), now: at(2000))
        preference.update(lanes([100, 50, 20]), now: at(3099))
        #expect(preference.path == 0)
        preference.update(lanes([100, 50, 20]), now: at(3100))
        #expect(preference.path == 1)
        preference.update(lanes([100, 50, 20]), now: at(3200))
        preference.update(lanes([100, 50, 20]), now: at(6200))
        #expect(preference.path == 2)
    }

    @Test func aPathThatCannotBeUsedIsLeftAtOnceAndNotForOneThatIsAlike() {
        var preference = Preference()
        preference.update(lanes([20, 30, 25]), now: at(0))
        preference.update(lanes([.infinity, 30, 25]), now: at(1))
        #expect(preference.path == 2)
        // Back again, it has to prove itself.
        preference.update(lanes([20, 30, 25]), now: at(2))
        preference.update(lanes([20, 30, 25]), now: at(3001))
        #expect(preference.path == 2)
        preference.update(lanes([20, 30, 25]), now: at(3002))
        #expect(preference.path == 0)
    }

    @Test func anIndexFollowsItsPath() {
        var preference = Preference()
        preference.update(lanes([30, 30, 20, 30]), now: at(0))
        preference.update(lanes([30, 30, 20, 10]), now: at(1000))
        preference.remove(at: 0)
        #expect(preference.path == 1)
        preference.update(lanes([30, 20, 10]), now: at(4000))
        #expect(preference.path == 2)
        preference.remove(at: 2)
        #expect(preference.path == nil)
        preference.update(lanes([30, 20]), now: at(4001))
        #expect(preference.path == 1)
        preference.reset()
        #expect(preference.path == nil)
    }
}
