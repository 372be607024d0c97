import Foundation
import FoundationXML
import Simulation
import Testing

@testable import Lab
@testable import bondlab

@Suite("Mixes of links, for real") struct MixTests {
    private func mix(_ name: String) throws -> Mix {
        try #require(Mix.standard.first { $0.name == name })
    }

    @Test func targetsAreThoseOfTheIssue() throws {
        #expect(try mix("fibre-lte").leastShare == 0.97)
        #expect(try mix("fast").leastShare == 0.95)
        #expect(try mix("three").leastShare == 0.95)
        #expect(try mix("lossy-lte").leastShare == 0.95)
        #expect(try mix("jitter-mix").leastShare == 0.95)
        #expect(try mix("geo").leastShare == 0.85)
        #expect(try mix("rate-step").leastShare == 0.97)
        #expect(try mix("flapping").leastShare == nil)
        #expect(try mix("fibre-lte").mostDelay == (10, 20))
        #expect(try mix("radio").mostDelay == (30, 30))
    }

    @Test func linksThatDifferBetweenTheirWaysAreMeasuredOneWay() throws {
        #expect(
            try mix("fibre-lte").ways.map(\.label).map { $0.prefix(12) } == ["fibre-lte up", "fibre-lte do"])
        #expect(try mix("asym-down").ways.map(\.sender) == [.server])
        // 80 and 20 Mbit/s downwards.
        #expect(try abs(mix("asym-down").ceiling - 89.7) < 0.1)
        #expect(try mix("asym-up").specs.map(\.down.rate) == [80_000_000, 20_000_000])
    }

    @Test func aSingleLinkIsAMixOnlyWhenAskedFor() {
        #expect(!MixChoice().mixes.contains { $0.links.count == 1 })
        #expect(MixChoice(only: ["jitter"]).mixes.map(\.name) == ["jitter"])
    }

    @Test func plotsAreWellFormed() throws {
        let figures = ["bond", "best link", "MPTCP, Cubic"].map {
            Figure(Sample("a<b up (1 & 2): \($0)", "Mbit/s", 90, of: 100), of: .mixes)
        }
        let series = Series(
            name: "death", events: [Series.Event(second: 1, name: "black hole")], interval: 0.05,
            values: [Double](repeating: 99, count: 60))
        var course = DriveCourse(name: "drive <1>", interval: 0.5, offered: [100, 0, 260])
        let replies = (1...3).map { PingRun.Reply(sequence: $0, rtt: 5 * Double($0 * $0 * $0 * $0), time: 0) }
        let pings = PingRun(sent: 3, replies: replies, duplicates: 0)
        course.add(DriveRun(megabits: 90, course: [80, 0, 190], pings: [pings]), "bondd & Cubic")
        let plots = [
            try #require(MixPlot(figures)).svg, try #require(CoursePlot([series])).svg,
            try #require(DrivePlot(course)).svg,
        ]
        #expect(DrivePlot(DriveCourse(name: "a", interval: 0.5, offered: [1, 2])) == nil)
        for svg in plots {
            #expect(XMLParser(data: Data(svg.utf8)).parse(), "\(svg)")
        }
        #expect(MixPlot([]) == nil && CoursePlot([]) == nil)
    }
}
