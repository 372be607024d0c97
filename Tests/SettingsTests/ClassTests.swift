import Packet
import Testing

@testable import Settings

/// `[[class]]`, and the rates of `[[client]]`.
@Suite struct ClassTests {
    let samples = ConfigurationSamples()

    private func read(_ classes: String) throws -> [Configuration.Class] {
        try samples.read(ConfigurationSamples.client + "\n" + classes).classes
    }

    @Test func everythingAClassMaySay() throws {
        let classes = try read(
            """
            [[class]]
            name = "calls"
            dscp = [46, 34]
            ports = ["udp/3478-3481", "tcp/5061"]
            priority = 0
            share = 20
            [[class]]
            name = "backup"
            cgroup = "/system.slice/backup.service"
            fwmark = 7
            ceiling_mbit = 2.5
            """)
        #expect(
            classes[0].service
                == ServiceClass(
                    name: "calls", priority: 0, share: 20, codepoints: 1 << 46 | 1 << 34,
                    ports: [
                        PortRange(transport: 17, low: 3478, high: 3481),
                        PortRange(transport: 6, low: 5061, high: 5061),
                    ]))
        #expect(
            classes[1].service
                == ServiceClass(name: "backup", priority: 2, share: 0, ceiling: 2500, isMarkedHere: true))
        #expect(classes[1].fwmark == 7 && classes[1].cgroup == "system.slice/backup.service")
        #expect(
            try samples.read(ConfigurationSamples.server + "\n[[class]]\nname = \"a\"\ndscp = [8]\n").classes
                .count == 1)
    }

    @Test(arguments: [
        ("dscp = [46]", "needs name"), ("name = \"a\"", "has no packets"),
        ("name = \"a\"\ndscp = [64]", "from 0 to 63"), ("name = \"a\"\ndscp = 46", "array of numbers"),
        ("name = \"a\"\nports = [\"sctp/1\"]", "udp/3478-3481"),
        ("name = \"a\"\nports = [\"udp/9-8\"]", "udp/3478-3481"),
        ("name = \"a\"\nports = [\"udp/0\"]", "udp/3478-3481"),
        ("name = \"a\"\nports = [\"udp/1-2-3\"]", "udp/3478-3481"),
        ("name = \"a\"\nfwmark = 0", "1 to 16777215"), ("name = \"a\"\nfwmark = 0x1000000", "1 to 16777215"),
        ("name = \"a\"\ncgroup = \"../a\"", "control group's path"),
        ("name = \"a\"\ncgroup = \"/\"", "control group's path"),
        ("name = \"default\"\ndscp = [1]", "is taken"),
        ("name = \"sixteen-letters-\"\ndscp = [1]", "at most 15"),
        ("name = \"a\"\ndscp = [1]\npriority = 4", "0 to 3"),
        ("name = \"a\"\ndscp = [1]\nshare = 101", "0 to 100"),
        ("name = \"a\"\ndscp = [1]\nshare = 60\n[[class]]\nname = \"b\"\ndscp = [2]\nshare = 41", "101 %"),
        ("name = \"a\"\ndscp = [1]\n[[class]]\nname = \"a\"\ndscp = [2]", "is taken"),
        ("name = \"a\"\ndscp = [3]\nfwmark = 1", "bits 11"),
        (
            (1...9).map { "name = \"c\($0)\"\ndscp = [\($0)]" }.joined(separator: "\n[[class]]\n"),
            "one too many"
        ),
        ("name = \"a\"\nports = [\((1...33).map { "\"udp/\($0)\"" }.joined(separator: ", "))]", "33 ranges"),
    ])
    func whatIsWrongIsSaid(_ text: String, _ problem: String) {
        do {
            _ = try read("[[class]]\n\(text)\n")
            Issue.record("\(text) is refused")
        } catch {
            #expect("\(error)".contains(problem), "\(error)")
        }
    }

    /// A codepoint for local use is any other host's own where no class needs a mark.
    @Test func localCodepointsAreFreeWithoutMarks() throws {
        #expect(try read("[[class]]\nname = \"a\"\ndscp = [3]\n").count == 1)
    }

    @Test func clientsHaveRates() throws {
        let text = ConfigurationSamples.server + "\nrate_up = 2.5\nrate_down = 100\npriority = 0\n"
        guard case .server(let server) = try samples.read(text).role else { throw CancellationError() }
        #expect(
            server.clients[0].limits == Configuration.ClientLimits(rateUp: 2.5, rateDown: 100, priority: 0))
        for bad in ["rate_up = -1", "rate_down = \"fast\"", "priority = 4"] {
            #expect(throws: (any Error).self) { try samples.read(ConfigurationSamples.server + "\n\(bad)\n") }
        }
    }
}
