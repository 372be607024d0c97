import Foundation
import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// `bondlab demo` and `bondlab bench`, which people run first.
    @Suite("Demo and bench") struct DemoAndBench {
        private func start(_ arguments: [String], _ scratch: Scratch) throws -> Child {
            try Child(
                [Program("bondlab").path] + arguments,
                environment: ["TMPDIR": scratch.path, "BONDD": Program().path])
        }

        private func isEmpty(_ scratch: Scratch) throws -> Bool {
            try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty
        }

        @Test func theDemoTellsWhatItMeasuredAndLeavesNothing() throws {
            let scratch = try Scratch()
            let began = Clock.monotonic
            let demo = try start(["demo"], scratch)
            #expect(try demo.wait(seconds: 58) == .exited(0), "\(demo.errors)")
            measured("the demo's length", Clock.monotonic - began, "s")
            let lines = demo.output.split(separator: "\n")
            for word in ["fibre alone, through the tunnel", "both", "longest silence"] {
                #expect(lines.contains { $0.contains(word) }, "\(word): \(demo.output.suffix(1500))")
            }
            // Without a terminal, no escape sequences; figures twice a second.
            #expect(!demo.output.contains("\u{1B}"))
            #expect(lines.filter { $0.hasPrefix("both links ") }.count >= 40)
            #expect(demo.errors.isEmpty)
            #expect(try isEmpty(scratch))
        }

        @Test(arguments: [SIGINT, SIGTERM]) func anInterruptedDemoCleansUp(signal: Int32) throws {
            let scratch = try Scratch()
            let demo = try start(["demo"], scratch)
            try demo.waitForOutput("fibre alone", seconds: 10)
            #expect(try !isEmpty(scratch))
            demo.signal(signal)
            #expect(try demo.wait(seconds: 5) == .exited(130))
            #expect(demo.output.hasSuffix("Interrupted; nothing is left behind.\n"))
            #expect(try isEmpty(scratch))
        }

        @Test func theBenchPrintsJSON() throws {
            let scratch = try Scratch()
            let bench = try start(["bench", "udp", "--json"], scratch)
            #expect(try bench.wait(seconds: 40) == .exited(0), "\(bench.errors)")
            let report = try #require(
                try JSONSerialization.jsonObject(with: Data(bench.output.utf8)) as? [String: Any])
            let figures = try #require(report["figures"] as? [[String: Any]])
            #expect(figures.count == 6 && figures.allSatisfy { $0["median"] is NSNumber })
            let machine = try #require(report["machine"] as? [String: Any])
            #expect(["date", "processor", "kernel", "command"].allSatisfy { machine[$0] is String })
            #expect(try isEmpty(scratch))
        }

        @Test(arguments: [["bench", "--runs", "0"], ["bench", "--scenario", "none"], ["demo", "now"]])
        func nonsenseIsRefused(_ arguments: [String]) throws {
            let scratch = try Scratch()
            let child = try start(arguments, scratch)
            #expect(try child.wait(seconds: 5) == .exited(64))
            #expect(child.errors.contains("Error: "))
        }
    }
}
