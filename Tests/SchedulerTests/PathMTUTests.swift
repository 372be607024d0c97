import LinkModel
import Packet
import Scheduler
import TestSupport
import Testing

@Suite struct PathMTUTests {
    /// A path that carries datagrams of up to `truth` bytes and loses a fraction `loss` of them.
    private final class Line {
        static let timeout = Interval.milliseconds(60)
        var mtu: PathMTU
        var truth: Int
        var loss = 0.0
        var random: SeededGenerator
        var now = Instant(nanoseconds: 10_000_000_000)
        var probes = 0
        /// Whether a size was ever confirmed that the path does not carry.
        var exceeded = false

        init(ceiling: Int, truth: Int, loss: Double = 0, seed: UInt64 = 1) {
            mtu = PathMTU(ceiling: ceiling)
            self.truth = truth
            self.loss = loss
            random = SeededGenerator(seed: seed)
        }

        /// Sends the probes due in this time; answers take 20 ms.
        func run(for length: Interval) {
            let end = now + length
            while mtu.due(Self.timeout) <= end {
                now = max(now, mtu.due(Self.timeout))
                guard let size = mtu.nextProbe(Self.timeout, now: now) else { continue }
                probes += 1
                mtu.left(as: UInt64(probes), now: now)
                guard size <= truth, !random.chance(loss) else { continue }
                now = now + .milliseconds(20)
                _ = mtu.acknowledge(AckMap(highest: UInt64(probes)), now: now)
                exceeded = exceeded || mtu.confirmed > max(truth, PathMTU.base)
            }
            now = max(now, end)
        }

        func refuse(_ size: Int) -> Bool { mtu.refuse(size, now: now) }

        var isRight: Bool {
            let most = min(truth, mtu.ceiling)
            return !exceeded && mtu.confirmed <= most && most - mtu.confirmed <= 32
        }
    }

    @Test func endsAtWhatThePathCarries() {
        var random = SeededGenerator(seed: 7)
        for seed in 0..<2000 {
            let ceiling = 1200 + random.below(849)
            let truth = 1200 + random.below(900)
            let line = Line(ceiling: ceiling, truth: truth)
            line.run(for: .seconds(4))
            #expect(line.isRight, "\(seed): \(line.mtu.confirmed) of \(truth), at most \(ceiling)")
            #expect(!line.mtu.isSearching && line.mtu.limit == line.mtu.confirmed)
            if ceiling <= truth { #expect(line.probes <= 1, "what all of it carries is found at once") }
        }
    }

    @Test func lossDelaysButDoesNotDeceive() {
        var random = SeededGenerator(seed: 8)
        for seed in 0..<300 {
            let truth = 1200 + random.below(900)
            let loss = Double(random.below(40)) / 100
            let line = Line(ceiling: 1472, truth: truth, loss: loss, seed: UInt64(seed))
            line.run(for: .seconds(3600 * 4))
            #expect(line.isRight, "\(seed): \(line.mtu.confirmed) of \(truth), loss \(loss)")
        }
    }

    @Test func aBlackHoleIsSeenAndSearchedAgain() {
        var random = SeededGenerator(seed: 9)
        for _ in 0..<500 {
            let line = Line(ceiling: 1472, truth: 1472)
            line.run(for: .seconds(1))
            line.truth = 1200 + random.below(200)
            line.mtu.record(arrived: 100, missed: 2, smallestMissed: 1472)
            #expect(line.mtu.limit == 1472, "two may be chance")
            line.mtu.record(arrived: 1199, missed: 1, smallestMissed: 1472)
            #expect(line.mtu.limit == PathMTU.base && line.mtu.prospect == 1472)
            line.run(for: .milliseconds(300))
            #expect(line.mtu.confirmed <= line.truth, "within a third of a second")
            line.run(for: .seconds(4))
            #expect(line.mtu.confirmed <= line.truth && line.truth - line.mtu.confirmed <= 32)
        }
    }

    /// 1200 bytes are assumed, and probed as soon as larger sizes turn out not to arrive.
    @Test func endsAtWhatANarrowPathCarries() {
        var random = SeededGenerator(seed: 10)
        for seed in 0..<500 {
            let truth = PathMTU.lowest + random.below(PathMTU.base - PathMTU.lowest)
            let line = Line(ceiling: 1472, truth: truth)
            line.run(for: .milliseconds(600))
            #expect(line.mtu.confirmed <= truth, "\(seed): \(line.mtu.confirmed) of \(truth) after 600 ms")
            line.run(for: .seconds(4))
            #expect(line.isRight, "\(seed): \(line.mtu.confirmed) of \(truth)")
        }
    }

    @Test func anInterfaceBelowTheBaseIsBelieved() {
        let line = Line(ceiling: 1172, truth: 1172)
        #expect(line.mtu.limit == 1172 && line.mtu.isNarrow && !line.mtu.isSearching)
        line.truth = 900
        line.mtu.recordBelowBase(arrived: 100, missed: 7, smallestMissed: 1172)
        #expect(line.mtu.limit == 1172)
        line.mtu.recordBelowBase(arrived: 100, missed: 1, smallestMissed: 1172)
        #expect(line.mtu.isSearching == true)
        line.run(for: .milliseconds(300))
        #expect(line.mtu.limit < 900)
        line.run(for: .seconds(4))
        #expect(line.isRight)
    }

    @Test func aFalseAlarmLastsARoundTrip() {
        let line = Line(ceiling: 1472, truth: 1472)
        line.run(for: .seconds(1))
        line.mtu.record(arrived: 0, missed: 30, smallestMissed: 1300)
        #expect(line.mtu.limit == PathMTU.base)
        line.run(for: .milliseconds(20))
        #expect(line.mtu.limit == 1472 && line.mtu.confirmed == 1472 && !line.mtu.isSearching)
    }

    @Test func whatArrivesInSizeEndsTheSuspicion() {
        let line = Line(ceiling: 1472, truth: 1472)
        line.run(for: .seconds(1))
        for _ in 0..<100 {
            line.mtu.record(arrived: 100, missed: 2, smallestMissed: 1472)
            line.mtu.record(arrived: 1472, missed: 0, smallestMissed: .max)
            line.mtu.record(arrived: 1472, missed: 9, smallestMissed: 1472)
        }
        #expect(line.mtu.limit == 1472)
        // A path that carries no more than the base has nothing to fall back to.
        let small = Line(ceiling: 1200, truth: 1200)
        small.mtu.record(arrived: 100, missed: 9, smallestMissed: 1201)
        #expect(small.mtu.limit == 1200 && !small.mtu.isSearching)
    }

    @Test func moreIsTriedAgainAfterTenMinutes() {
        let line = Line(ceiling: 1472, truth: 1300)
        line.run(for: .seconds(5))
        let probes = line.probes
        line.truth = 1472
        line.run(for: .seconds(590))
        #expect(line.probes == probes && line.mtu.confirmed <= 1300)
        line.run(for: .seconds(20))
        #expect(line.mtu.confirmed == 1472 && line.probes == probes + 1)
        #expect(line.mtu.due(Line.timeout) == .never, "there is no more to find")
    }

    @Test func theHostsOwnRefusalCountsAtOnce() {
        let line = Line(ceiling: 1472, truth: 1372)
        _ = line.mtu.nextProbe(Line.timeout, now: line.now)
        line.mtu.left(as: 1, now: line.now)
        let isLowered = line.refuse(1472)
        #expect(!isLowered, "it was not confirmed")
        #expect(line.mtu.prospect == PathMTU.base)
        line.run(for: .seconds(4))
        #expect(line.isRight)
        line.truth = 1250
        let isLoweredNow = line.refuse(line.mtu.confirmed)
        #expect(isLoweredNow)
        #expect(line.mtu.limit == PathMTU.base)
        line.run(for: .seconds(4))
        #expect(line.isRight)
        line.truth = 1000
        let isLoweredBelow = line.refuse(1100)
        #expect(isLoweredBelow && line.mtu.limit == PathMTU.lowest)
        line.run(for: .seconds(4))
        #expect(line.isRight)
        let isLoweredFurther = line.refuse(500)
        #expect(!isLoweredFurther, "there is an end")
    }

    /// A path that has not answered yet, with as many probes out as there may be.
    private func unansweredLine() -> Line {
        let line = Line(ceiling: 1472, truth: 1472)
        for number: UInt64 in 1...4 {
            #expect(line.mtu.mayProbeEarly == true)
            line.now = line.now + .seconds(3)
            _ = line.mtu.nextProbe(.seconds(3), now: line.now)
            line.mtu.left(as: number, isEarly: true, now: line.now)
        }
        return line
    }

    @Test func whatIsSentBeforeThePathAnswersCannotFail() {
        let line = unansweredLine()
        #expect(!line.mtu.mayProbeEarly && line.mtu.prospect == 1472)
        // It has waited long enough, and gets the benefit of the doubt until something is known.
        #expect(line.mtu.limit(now: line.now) == 1472 && line.mtu.limit == PathMTU.base)
        let other = unansweredLine()
        _ = other.mtu.acknowledge(AckMap(highest: 4), now: other.now)
        #expect(other.mtu.confirmed == 1472)
        line.probes = 4
        line.run(for: .seconds(1))
        #expect(line.mtu.confirmed == 1472 && line.probes == 5)
    }

    @Test func followsTheInterface() {
        let line = Line(ceiling: 1472, truth: 1972)
        line.run(for: .seconds(1))
        line.mtu.setCeiling(1972, now: line.now)
        line.run(for: .seconds(1))
        #expect(line.mtu.confirmed == 1972)
        line.mtu.setCeiling(1300, now: line.now)
        #expect(line.mtu.limit == 1300 && line.mtu.prospect == 1300)
        line.mtu.setCeiling(576, now: line.now)
        #expect(line.mtu.limit == 576)
        line.run(for: .seconds(1))
        #expect(line.mtu.isSearching == false)
    }
}
