import Glibc
import Portunus
import Settings
import Testing

@testable import Control

/// When there is a control plane, and when not.
@Suite struct PlaneLinkTests {
    private func link(_ bench: ServiceBench) -> PlaneLink {
        PlaneLink(services: bench.plane, directory: bench.directory.path, log: bench.plane.log)
    }

    @Test func withoutABundleThereIsNone() throws {
        let bench = try ServiceBench()
        let link = link(bench)
        link.start(bundleFile: nil)
        #expect(bench.plane.status().1.state == "off" && bench.plane.notices.isEmpty)
        link.start(bundleFile: bench.directory.path + "/missing")
        #expect(bench.plane.status().1.problem?.contains("bondd portunus enroll URI") == true)
        bench.directory.file(PlaneLink.fileName, "{}")
        link.start(bundleFile: nil)
        #expect(bench.plane.status().1.state == "off" && bench.plane.notices.count == 1)
    }

    @Test func withABundleItIsTried() throws {
        let bench = try ServiceBench()
        let link = link(bench)
        // No server is listening there.
        var bundle = ServiceBench.bundle
        bundle.endpoint = "127.0.0.1:\(Wire.freePort())"
        try bundle.write(to: bench.directory.path + "/" + PlaneLink.fileName)
        link.start(bundleFile: nil)
        defer { link.stop() }
        #expect(bench.plane.status().1.state == "connecting")
        #expect(bench.plane.status().1.endpoint == bundle.endpoint && bench.plane.notices.isEmpty)
    }

    /// A code can be used once: none is redeemed if its bundle could not be stored.
    @Test func whatCannotBeWrittenIsSaidBefore() throws {
        let bench = try ServiceBench()
        let link = link(bench)
        link.start(bundleFile: bench.directory.path + "/nowhere/bundle.json")
        let uri = "portunus://127.0.0.1:1/enroll?pin=sha256:\(String(repeating: "ab", count: 32))&code=secret"
        let problem = try #require(link.enrol(uri))
        #expect(problem.contains("can't write") && problem.contains("the code was not used"))
        #expect(!problem.contains("secret"))
        link.start(bundleFile: nil)
        let other = try #require(link.enrol("nonsense"))
        #expect(other.contains("portunus://"))
        #expect(access(bench.directory.path + "/" + PlaneLink.fileName, F_OK) != 0)
    }
}
