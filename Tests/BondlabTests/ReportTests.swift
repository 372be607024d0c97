import Testing

@testable import bondlab

@Suite("Bench reports") struct ReportTests {
    private func figure(_ name: String, _ values: [Double], _ bound: Sample.Bound? = nil) -> Figure {
        var figure = Figure(Sample(name, "Mbit/s", values[0], bound), of: .speed)
        for value in values.dropFirst() { figure.add(value) }
        return figure
    }

    @Test func medianSpreadAndTarget() {
        let row = figure("flow", [1200, 1000, 1500], .atLeast(1250)).row
        #expect(row == ["speed", "flow", "1200.0 Mbit/s", "1000.0 – 1500.0", "", "≥ 1250.0", "MISSED"])
        #expect(figure("flow", [1300], .atLeast(1250)).row.last == "met")
        #expect(figure("flow", [1300], .atMost(1250)).row.last == "MISSED")
    }

    @Test func ratiosAreOfMedians() throws {
        let figures = [figure("a", [10, 30, 20]), figure("b", [4, 5, 100])]
        let sample = try #require(Ratio("a", to: "b", .atLeast(4)).sample(of: figures))
        #expect(sample.value == 4 && sample.name == "a : b" && sample.bound == .atLeast(4))
        #expect(Ratio("a", to: "c", .atLeast(1)).sample(of: figures) == nil)
    }

    @Test func whatRatiosNameIsMeasured() {
        let contenders = [Contender.Cipher.chacha, .aes].flatMap { cipher in
            (1...2).map { Contender.bondd(cipher: cipher, paths: $0).name }
        }
        for ratio in Speed.ratios {
            #expect(contenders.contains { ratio.name.hasPrefix($0 + ", ") }, "\(ratio.name)")
        }
        #expect(Packets.ratios.count == 2)
    }

    @Test func theProbesLinesAreRead() {
        let output = "chacha 2.34 Gbit/s\nchacha 2.5 Gbit/s\naes 4 Gbit/s\ngarbage\n"
        #expect(CeilingProbe.values(in: output, "chacha") == [2340, 2500])
        #expect(CeilingProbe.values(in: output, "none").isEmpty)
    }

    @Test func aWideTableHasARowForEachMix() {
        let samples = [
            Sample("a up (x): bond", "Mbit/s", 90, of: 100, .atLeast(95)),
            Sample("a up (x): added, p99", "ms", 5, .atMost(20)),
            Sample("b up (y): bond", "Mbit/s", 99, of: 100, .atLeast(95)),
        ]
        let rows = WideTable(samples.map { Figure($0, of: .mixes) }).rows
        #expect(rows[0] == ["links", "bond,\u{A0}Mbit/s", "added, p99,\u{A0}ms", "targets"])
        #expect(rows[1] == ["a up (x)", "90.0 (90 %)", "5.0", "MISSED: bond"])
        #expect(rows[2] == ["b up (y)", "99.0 (99 %)", "", "met"])
    }
}
