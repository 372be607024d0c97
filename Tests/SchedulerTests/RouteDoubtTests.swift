import Packet
import Testing

@testable import Scheduler

@Suite struct RouteDoubtTests {
    private static let start = Instant(nanoseconds: 10_000_000_000)
    private var doubt = RouteDoubt()

    /// Whether the queue, given in ms for every 50 ms, raises the doubt to certainty.
    private mutating func follows(_ queues: [Int64], isReduced: Bool = true) -> Bool {
        var isCertain = false
        for (step, queue) in queues.enumerated() {
            isCertain =
                doubt.heed(
                    .milliseconds(queue), isReduced: isReduced, patience: .milliseconds(250),
                    now: Self.start + .milliseconds(50) * Int64(step)) || isCertain
        }
        return isCertain
    }

    @Test mutating func aQueueThatStaysIsALongerRoute() {
        #expect(follows([30, 31, 29, 30, 30, 31, 30]))
    }

    @Test mutating func aQueueThatDrainsIsAQueue() {
        #expect(!follows([60, 45, 34, 25, 18, 13, 9, 6, 4]))
    }

    /// One longer route is a route; two at once are a neighbor's queue.
    @Test mutating func aQueueThatStaysAgainIsANeighbors() {
        #expect(follows([30, 31, 29, 30, 30, 31, 30]))
        #expect(!doubt.isContested(now: Self.start + .milliseconds(400)))
        #expect(follows([30, 31, 29, 30, 30, 31, 30, 30, 30, 30, 30, 30, 30]))
        #expect(doubt.isContested(now: Self.start + .milliseconds(700)))
        #expect(!doubt.isContested(now: Self.start + .seconds(20)))
    }

    @Test mutating func nothingIsDoubtedAtTheFullRate() {
        #expect(!follows([30, 30, 30, 30, 30, 30, 30, 30], isReduced: false))
    }
}
