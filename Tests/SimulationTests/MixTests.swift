import LinkModel
import Testing

@testable import Simulation

@Suite("Mixes of links") struct MixTests {
    private let second: UInt64 = 1_000_000_000

    @Test func theCeilingFollowsTheLinks() {
        let steady = LinkPlan(LinkShape(megabits: 50, milliseconds: 10))
        let step = LinkPlan(LinkShape(megabits: 100, milliseconds: 10)).then(.rate(20_000_000), at: 8)
            .then(.rate(100_000_000), at: 12)
        let mix = Mix("a", "a", [steady, step])
        // 4 of the 12 s from the 4th on at 20 instead of 100.
        let expected = 0.897 * (50 + (8.0 * 100 + 4 * 20) / 12)
        #expect(abs(mix.ceiling - expected) < 1e-9)
        #expect(mix.leastRate(until: 16 * second) == 70_000_000)
        #expect(mix.leastRate(until: 8 * second) == 150_000_000)
    }

    @Test func whatIsDownOrLostDoesNotCount() {
        var lossy = LinkShape(megabits: 50, milliseconds: 10)
        lossy.loss = 0.02
        let flapping = LinkPlan(LinkShape(megabits: 100, milliseconds: 10))
            .alternating([.isDown(true), .isDown(false)], every: 1.5, until: 30)
        #expect(flapping.steps.count == 19)
        let mix = Mix("a", "a", [LinkPlan(lossy), flapping])
        // Down from 4.5 to 6, 7.5 to 9, 10.5 to 12, 13.5 to 15: half of the twelve seconds.
        #expect(abs(mix.ceiling - 0.897 * (49 + 50)) < 1e-9)
        #expect(mix.leastRate(until: 16 * second) == 50_000_000)
        #expect(mix.singles.map(\.ceiling).first! >= mix.singles.map(\.ceiling).last!)
    }

    @Test func directionsDiffer() {
        let link = LinkPlan(
            LinkShape(megabits: 10, milliseconds: 10), down: LinkShape(megabits: 80, milliseconds: 10))
        #expect(abs(Mix("a", "a", [link]).ceiling - 8.97) < 1e-9)
        #expect(abs(Mix("a", "a", [link], from: .server).ceiling - 71.76) < 1e-9)
    }

    @Test func meansAreOfEachFigure() {
        let cells = [(10.0, 1), (20.0, 4)].map { rate, count in
            Cell(
                bulk: .init(megabits: rate, share: rate / 100, recoveries: count, undone: 0, timeouts: 2),
                udp: .init(lost: rate / 1000, late: 0, outOfOrder: 0.5))
        }
        let mean = Cell.mean(cells)
        #expect(mean.bulk?.megabits == 15 && mean.bulk?.recoveries == 3 && mean.bulk?.spurious == nil)
        #expect(abs((mean.udp?.lost ?? 0) - 0.015) < 1e-12 && mean.udp?.outOfOrder == 0.5)
        #expect(mean.call == nil && mean.pings == nil)
    }

    @Test func namesOfTheStandardMixesAreTheirOwn() {
        let names = (Mix.standard + Mix.varying).map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0.count <= 10 && !$0.contains(" ") })
        // The table has this much room.
        #expect((Mix.standard + Mix.varying).allSatisfy { $0.title.count <= 41 })
    }

    @Test func theCeilingOfATraceIsWhatItCarriesMeanwhile() {
        var shape = LinkShape(rate: 0, delay: 10_000_000)
        shape.trace = RateTrace(rates: [10_000_000, 30_000_000, 0, 20_000_000])
        shape.loss = 0.1
        let mix = Mix("a", "a", [LinkPlan(shape)], over: .whole(2))
        #expect(abs(mix.ceiling - 0.897 * 20 * 0.9) < 1e-9)
        #expect(mix.course(every: 1).map { ($0 / 0.897 / 0.9).rounded() } == [10, 30])
        #expect(mix.peak == 30 && mix.isVarying)
        shape.policer = Policer(rate: 15_000_000, burst: 1000)
        #expect(Mix("a", "a", [LinkPlan(shape)], over: .whole(2)).peak == 15)
    }

    @Test func rowsThatVaryHaveTrafficWithPings() throws {
        var shape = LinkShape(rate: 0, delay: 10_000_000)
        shape.trace = RateTrace(rates: [10_000_000, 4_000_000])
        let mix = Mix(
            "a", "a", [LinkPlan(LinkShape(megabits: 10, milliseconds: 10), down: shape)], from: .server,
            over: .whole(6))
        #expect(Column.all(of: mix) == [.flood, .cubic, .bbr, .quic])
        for column in Column.all(of: mix) {
            let cell = Run(mix, column, seed: 1).measure()
            let (bulk, pings) = (try #require(cell.bulk), try #require(cell.pings))
            #expect(bulk.share > 0.5 && bulk.share < 1.02, "\(column)")
            #expect(pings.median >= 20 && pings.p95 >= pings.median && pings.p99 >= pings.p95, "\(column)")
        }
    }
}
