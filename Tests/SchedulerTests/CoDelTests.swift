import Packet
import Scheduler
import Testing

@Suite struct CoDelTests {
    private let start = Instant(nanoseconds: 5_000_000_000)

    /// The number of packets condemned, one passing each millisecond, while each has waited for `sojourn`.
    private func condemned(
        _ codel: inout CoDel, sojourn: Interval, bytes: Int = 100_000, from begin: Int, milliseconds: Int
    ) -> Int {
        (begin..<begin + milliseconds).count {
            codel.condemns(
                sojourn, bytes: bytes, CoDel.Limits(), now: start + .milliseconds(Int64($0)))
        }
    }

    @Test func aShortQueueIsLeftAlone() {
        var codel = CoDel()
        #expect(condemned(&codel, sojourn: .microseconds(4900), from: 0, milliseconds: 5000) == 0)
        #expect(condemned(&codel, sojourn: .seconds(1), bytes: 1500, from: 5000, milliseconds: 5000) == 0)
    }

    @Test func aQueueMayBeLongForAnInterval() {
        var codel = CoDel()
        #expect(condemned(&codel, sojourn: .milliseconds(50), from: 0, milliseconds: 100) == 0)
        #expect(condemned(&codel, sojourn: .milliseconds(1), from: 100, milliseconds: 1) == 0)
        #expect(condemned(&codel, sojourn: .milliseconds(50), from: 101, milliseconds: 100) == 0)
    }

    /// RFC 8289 section 4.2: the n-th drop follows the previous one by interval/√n.
    @Test func dropsComeCloser() {
        var codel = CoDel()
        var drops: [Int] = []
        for time in 0..<1200 {
            if condemned(&codel, sojourn: .milliseconds(30), from: time, milliseconds: 1) > 0 {
                drops.append(time)
            }
        }
        var expected = 100.0
        for (index, drop) in drops.enumerated() {
            #expect(abs(Double(drop) - expected) <= 1.5, "drop \(index)")
            expected += 100 / Double(index + 1).squareRoot()
        }
        #expect(drops.count > 25)
    }

    @Test func aSecondLookWithoutTimePassingChangesNothing() {
        var codel = CoDel()
        _ = condemned(&codel, sojourn: .milliseconds(30), from: 0, milliseconds: 100)
        let now = start + .milliseconds(100)
        var answers: [Bool] = []
        for _ in 0..<10 {
            answers.append(codel.condemns(.milliseconds(30), bytes: 100_000, .init(), now: now))
        }
        #expect(answers == [true] + Array(repeating: false, count: 9))
    }
}
