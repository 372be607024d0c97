import LinkModel
import Packet
import Scheduler
import TestSupport
import Testing

@Suite struct SentPacketsTests {
    private let start = Instant(nanoseconds: 10_000_000_000)

    @Test func aLossIsWhatThreeLaterOnesAreKnownToHavePassed() {
        let line = SentLine()
        for _ in 0..<6 { line.send() }
        #expect(line.bytesInFlight == 600 && line.pool.inUse == 6)
        var news = line.acknowledge([0])
        #expect(news?.acknowledged == 1 && news?.lost == 0)
        news = line.acknowledge([0, 3])
        #expect(news?.acknowledged == 1 && news?.lost == 0, "1 and 2 are only two and one behind")
        news = line.acknowledge([0, 3, 4])
        #expect(news?.acknowledged == 1 && news?.lost == 1, "1 is three behind 4")
        #expect(line.bytesInFlight == 200 && line.pool.inUse == 2, "2 and 5 are left")
    }

    @Test func aLateAckTakesTheLossBack() {
        let line = SentLine()
        for _ in 0..<5 { line.send() }
        #expect(line.acknowledge([4])?.lost == 2)
        let news = line.acknowledge([0, 1, 2, 3, 4])
        #expect(news?.acknowledged == 4 && news?.lost == -2)
        #expect(line.acknowledge([0, 1, 2, 3, 4])?.acknowledged == 0)
        #expect(line.bytesInFlight == 0 && line.pool.inUse == 0)
    }

    @Test func onlyWhatWantsAnAckCounts() {
        let line = SentLine()
        for _ in 0..<4 { line.send(eliciting: false) }
        line.send()
        #expect(line.bytesInFlight == 100)
        let news = line.acknowledge([4])
        #expect(news?.acknowledged == 1 && news?.lost == 0)
        // They were not counted as lost, so they are not taken back either.
        #expect(line.acknowledge([0, 1, 2, 3, 4])?.lost == 0)
        // Neither are those that leave the map unseen.
        let other = SentLine()
        for _ in 0..<300 { other.send(eliciting: false) }
        other.send()
        #expect(other.acknowledge([300])?.lost == 0)
    }

    @Test func whatLeavesTheMapIsLostForGood() {
        let line = SentLine()
        for _ in 0..<600 { line.send() }
        #expect(line.acknowledge([599])?.lost == 597)
        #expect(line.pool.inUse == 2 && line.bytesInFlight == 200)
        #expect(line.acknowledge([0, 1, 598, 599])?.acknowledged == 1)
    }

    /// A copy that took a faster path may overtake the ACKs that cover what is below its map.
    @Test func anAckThatMayHaveOvertakenOthersClosesNothingBelowItsMap() {
        let line = SentLine()
        for _ in 0..<600 { line.send() }
        #expect(line.acknowledge(Array(300..<600), closesBelow: false)?.lost == 0)
        #expect(line.bytesInFlight == 343 * 100)
        let news = line.acknowledge(Array(0..<300))
        #expect(news?.acknowledged == 257 && news?.lost == 43, "the map of 299 begins at 43")
        #expect(line.bytesInFlight == 43 * 100)
    }

    @Test func departuresAreRememberedAfterTheAck() {
        let line = SentLine()
        line.send()
        line.now = line.now + .milliseconds(1)
        line.send()
        #expect(line.acknowledge([0, 1])?.acknowledged == 2)
        #expect(line.departure(of: 0) == start && line.departure(of: 1) == start + .milliseconds(1))
        #expect(line.departure(of: 2) == nil && line.departure(of: .max) == nil)
        for _ in 0..<100 { line.send() }
        #expect(line.departure(of: 0) == nil, "the ring has gone round")
    }

    @Test func anAckForWhatNeverLeftIsRefused() {
        let line = SentLine()
        #expect(line.acknowledge([0]) == nil)
        line.send()
        #expect(line.acknowledge([1]) == nil && line.acknowledge([1 << 47]) == nil)
        #expect(line.acknowledge([0])?.acknowledged == 1)
    }

    @Test func theHighestTellsTheTimeOnce() {
        let line = SentLine()
        line.send()
        line.now = line.now + .milliseconds(7)
        line.send(starved: true)
        var news = line.acknowledge([1])
        #expect(news?.highestSent == line.now && news?.starved == true)
        news = line.acknowledge([0, 1])
        #expect(news?.acknowledged == 1 && news?.highestSent == nil, "the highest was known")
    }

    @Test func aSilentPathHandsOverWhatIsStillWanted() {
        let line = SentLine()
        for _ in 0..<6 { line.send() }
        line.send(eliciting: true, slot: false)
        _ = line.acknowledge([0])
        line.markAcknowledged(2)
        #expect(line.surrender() == [1, 3, 4, 5])
        #expect(line.bytesInFlight == 0 && line.pool.inUse == 4, "the queue owns them now")
        // A late ACK settles them; they were not counted as lost, so none is taken back.
        let news = line.acknowledge([0, 1, 2, 3, 4, 5, 6])
        #expect(news?.acknowledged == 6 && news?.lost == 0)
        #expect(line.pool.inUse == 4)
    }

    @Test func silenceBeginsAfterTheLastAnswer() {
        let line = SentLine()
        #expect(line.oldestUnanswered == nil)
        line.send(eliciting: false)
        #expect(line.oldestUnanswered == nil)
        let first = line.now
        line.send()
        for _ in 0..<3 {
            line.now = line.now + .milliseconds(10)
            line.send()
        }
        #expect(line.oldestUnanswered == first)
        // 4 is acknowledged: earlier losses count as losses, not as silence.
        _ = line.acknowledge([4])
        #expect(line.oldestUnanswered == nil)
        line.send()
        #expect(line.oldestUnanswered == line.now)
    }

    @Test func memoryIsBounded() {
        let line = SentLine(capacity: SentPackets.bound + 10)
        for _ in 0..<SentPackets.bound + 5 { line.send() }
        #expect(line.pool.inUse == SentPackets.bound)
        line.removeAll()
        #expect(line.pool.inUse == 0 && line.bytesInFlight == 0)
    }

    /// Random sends and ACKs as on a lossy path with reordering, compared with sets.
    @Test(arguments: Array(UInt64(1)...20))
    func countsAsSetsDo(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let line = SentLine()
        var arrived: Set<UInt64> = []
        var known: Set<UInt64> = []
        var lost: Set<UInt64> = []
        var highest: UInt64?
        for round in 0..<3000 {
            let number = UInt64(round)
            line.send()
            if random.chance(0.9) { arrived.insert(number) }
            if random.chance(0.02),
                let late = (0..<number).filter({ $0 + 200 > number && !arrived.contains($0) }).first
            {
                arrived.insert(late)
            }
            guard random.chance(0.2), let top = arrived.max() else { continue }
            let seen = arrived.filter { $0 + 256 >= top }
            let news = try #require(line.acknowledge(Array(seen)))
            let fresh = seen.subtracting(known)
            let back = fresh.intersection(lost)
            known.formUnion(fresh)
            lost.subtract(back)
            // Below the map, nothing changes any more.
            let gone = (0...top).filter { $0 + 3 <= top && !known.contains($0) && !lost.contains($0) }
            lost.formUnion(gone)
            try #require(news.acknowledged == fresh.count, "seed \(seed), round \(round)")
            try #require(news.lost == gone.count - back.count, "seed \(seed), round \(round)")
            try #require((news.highestSent != nil) == (highest.map { top > $0 } ?? true))
            highest = max(highest ?? 0, top)
            let inFlight = round + 1 - known.count - lost.count
            try #require(line.bytesInFlight == inFlight * 100 && line.pool.inUse == inFlight)
        }
    }

    @Test func whatIsLostIsHandedBackOnce() {
        let line = SentLine()
        for _ in 0..<6 { line.send() }
        line.markAcknowledged(1)
        #expect(line.acknowledge([5])?.lost == 3)
        #expect(line.lostSequences == [0, 2], "of 1 a copy has arrived")
        #expect(line.acknowledge([0, 5])?.lost == -1)
        #expect(line.lostSequences == [0, 2])
    }

    /// RFC 9002 section 6.1.2: with few packets, a loss is detected by time before three packets reveal it.
    @Test func aLossIsAlsoWhatLeftLongBefore() {
        let line = SentLine()
        line.reordering = .milliseconds(10)
        line.send()
        line.now = line.now + .milliseconds(9)
        line.send()
        #expect(line.acknowledge([1])?.lost == 0)
        line.now = line.now + .milliseconds(2)
        line.send()
        #expect(line.acknowledge([1, 2])?.lost == 1 && line.lostSequences == [0])
        let late = line.acknowledge([0, 1, 2])
        #expect(late?.lost == -1 && late?.lateness == .milliseconds(11))
    }

    /// Shrinking keeps everything in flight, and late ACKs do no harm.
    @Test func shrinkingKeepsWhatIsInFlight() {
        let line = SentLine()
        for _ in 0..<500 { line.send() }
        line.shrink()
        #expect(line.bytesInFlight == 50_000 && line.pool.inUse == 500)
        #expect(line.acknowledge(Array(244..<490))?.acknowledged == 246)
        line.shrink()
        #expect(line.bytesInFlight == 1000 && line.pool.inUse == 10)
        for _ in 0..<200 { line.send() }
        #expect(line.bytesInFlight == 21_000 && line.pool.inUse == 210)
        let news = line.acknowledge(Array(489..<700))
        #expect(news?.acknowledged == 210 && line.bytesInFlight == 0 && line.pool.inUse == 0)
        line.shrink()
        #expect(line.acknowledge(Array(600..<700))?.acknowledged == 0)
        #expect(line.send() == 700)
    }

    /// A peer that repeatedly takes a path in and out of use causes each datagram to be examined once.
    @Test func whatWasGivenUpIsNotLookedAtAgain() {
        let line = SentLine()
        for _ in 0..<5000 { line.send() }
        #expect(line.held == 5000)
        #expect(line.surrender().count == 5000 && line.lookedAt == 5000 && line.held == 0)
        for _ in 0..<100 {
            #expect(line.surrender().isEmpty && line.lookedAt == 0)
        }
        for _ in 0..<3 { line.send() }
        #expect(line.held == 3 && line.surrender() == [5000, 5001, 5002] && line.lookedAt == 3)
    }

    /// Sends until a number is skipped; returns it.
    private func skipOne(_ line: SentLine) -> UInt64 {
        line.skip()
        while !line.isSkipDue { line.send() }
        let skipped = line.next
        line.skip()
        return skipped
    }

    @Test func anAckOfASkippedNumberIsFoundOut() {
        let line = SentLine()
        let skipped = skipOne(line)
        #expect(skipped == SentPackets.shortestRun)
        for _ in 0..<3 { line.send() }
        #expect(line.acknowledge(Array(0..<skipped))?.containsSkipped == false)
        #expect(line.acknowledge([skipped])?.containsSkipped == true)
        let other = SentLine()
        _ = skipOne(other)
        for _ in 0..<3 { other.send() }
        #expect(other.acknowledge(Array(0...skipped + 3))?.containsSkipped == true)
    }

    @Test func aSkippedNumberIsNeitherInFlightNorLost() {
        let line = SentLine()
        let skipped = skipOne(line)
        line.send()
        let before = line.bytesInFlight
        #expect(before == 100 * 65)
        let news = line.acknowledge(Array(0..<skipped) + [skipped + 1])
        #expect(news?.lost == 0 && news?.acknowledged == 65 && line.bytesInFlight == 0)
        #expect(line.oldestUnanswered == nil && line.lostSequences.isEmpty)
        // Settled numbers are not examined again: rings do not grow by skipped ones.
        #expect(line.acknowledge(Array(0..<skipped) + [skipped + 1])?.acknowledged == 0)
    }

    /// Three numbers later are two datagrams later if one was skipped.
    @Test func aSkippedNumberHastensNoLoss() {
        let line = SentLine()
        let skipped = skipOne(line)
        for _ in 0..<3 { line.send() }
        let before = Array(0..<skipped - 1)
        #expect(line.acknowledge(before + [skipped + 1, skipped + 2])?.lost == 0)
        #expect(line.acknowledge(before + [skipped + 1, skipped + 2, skipped + 3])?.lost == 1)
    }

    /// Nothing is sent beyond the ring's capacity; otherwise packets in flight would be forgotten, and ACKs
    /// useless.
    @Test func aFullRingIsAFullWindow() {
        let line = SentLine(capacity: 40_000)
        while !line.isFull { line.send() }
        let count = line.next
        #expect(count > 32_000 && count < UInt64(SentPackets.bound))
        for _ in count..<UInt64(SentPackets.bound) { line.send(eliciting: false) }
        let news = line.acknowledge([0, 1, 2, 3])
        #expect(news?.acknowledged == 4 && news?.highestSent != nil)
        #expect(line.acknowledge(Array(1000..<1200))?.highestSent != nil && !line.isFull)
    }

    @Test func runsAreShorterWhileMuchIsInFlight() {
        let line = SentLine(capacity: 40_000)
        #expect(SentPackets.shortestRun + line.runChoices == SentPackets.longestRun)
        for _ in 0..<20_000 { line.send() }
        #expect(SentPackets.shortestRun + line.runChoices == 256)
    }
}
