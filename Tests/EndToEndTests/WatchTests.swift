import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// `bondd status --watch` on a terminal of util-linux's script, and without one.
    @Suite("Live status") struct LiveStatus {
        private static let screen = "\u{1B}[?1049h"
        private static let restored = "\u{1B}[?1049l"

        /// Runs a command on a terminal of 80 × 24; `keys` are shell commands whose output is typed.
        private func onTerminal(
            _ command: String, keys: String, in namespace: Namespace? = nil, settings: [String: String] = [:]
        ) throws -> Child {
            let variables = ["TERM": "xterm", "LC_ALL": "C.UTF-8", "NO_COLOR": ""].merging(settings) {
                _, new in new
            }
            // The output of stty is equal before and after if the terminal was restored.
            let inside = "stty cols 80 rows 24; stty -g; \(command); echo status $?; stty -g"
            return try Child(
                ["sh", "-c", "{ \(keys); } | script -qec '\(inside)' /dev/null"], in: namespace,
                environment: variables)
        }

        private func watch(_ bondd: Bondd, _ options: String = "") throws -> String {
            "\(try Program().path) status --watch --socket \(bondd.socket) \(options)"
        }

        private func isRestored(_ output: String) -> Bool {
            let lines = output.split(whereSeparator: \.isNewline)
            guard let before = lines.first, let after = lines.last else { return false }
            return before == after && output.contains(Self.restored)
        }

        @Test func keysChangeTheDaemonAndTheTerminalIsLeftAsItWas() throws {
            try withTunnel(fibreAndLTE) { tunnel, client in
                let keys = "sleep 1.5; printf m; sleep 0.3; printf jr; sleep 0.3; printf q; sleep 0.3"
                let child = try onTerminal(try watch(client.bondd), keys: keys)
                try child.wait(seconds: 8)
                let output = child.output
                #expect(output.contains(Self.screen) && output.contains("status 0") && isRestored(output))
                for word in ["fibre", "lte", "rtt ms", "repair", "▁", "\u{1B}[32mup"] {
                    #expect(output.contains(word), "\(word)")
                }
                let status = try client.bondd.status()
                // It was stripe; the roles' next is backup.
                #expect(status.mode == "preferred")
                #expect(status.path("fibre")?.role == "primary" && status.path("lte")?.role == "backup")
            }
        }

        @Test func withoutUnicodeAndColour() throws {
            try withTunnel(["fibre=100/5"]) { tunnel, client in
                let child = try onTerminal(
                    try watch(client.bondd, "--no-color"), keys: "sleep 1.3; printf q; sleep 0.2",
                    settings: ["LC_ALL": "C"])
                try child.wait(seconds: 8)
                #expect(child.output.utf8.allSatisfy { $0 < 128 } && !child.output.contains("\u{1B}[3"))
                #expect(child.output.contains("fibre") && isRestored(child.output))
            }
        }

        @Test func signalsEndItAndADaemonThatDiesIsWaitedFor() throws {
            try withTunnel(["fibre=100/5"]) { tunnel, client in
                for signal in [SIGTERM, SIGINT] {
                    // The shell writes its own process ID, which the command takes over.
                    let file = "\(client.bondd.scratch.path)/pid"
                    let command = "sh -c \"echo \\$\\$ >\(file); exec \(try watch(client.bondd))\""
                    let child = try onTerminal(command, keys: "sleep 6")
                    try child.waitForOutput("fibre", seconds: 5)
                    if signal == SIGTERM {
                        client.bondd.kill()
                        try child.waitForOutput("bondd does not answer", seconds: 5)
                        try client.bondd.start()
                        try client.waitUntilWhole()
                    }
                    let pid = try #require(Int32(try Child.run(["cat", file]).dropLast()))
                    kill(pid, signal)
                    try child.waitForOutput("status 0", seconds: 5)
                    usleep(100_000)
                    #expect(isRestored(child.output))
                    child.kill()
                }
            }
        }

        @Test func withoutATerminalThereAreLines() throws {
            try withTunnel(["fibre=100/5"]) { tunnel, client in
                let piped = try client.namespace.spawn(
                    [try Program().path, "status", "--watch", "--socket", client.bondd.socket])
                // A terminal without capabilities.
                let dumb = try onTerminal(
                    "timeout 2 \(try watch(client.bondd))", keys: "sleep 2.5", settings: ["TERM": "dumb"])
                try dumb.wait(seconds: 8)
                piped.stop()
                for output in [piped.output, dumb.output] {
                    #expect(!output.contains("\u{1B}"))
                    #expect(output.split(whereSeparator: \.isNewline).count { $0.contains("fibre up") } >= 2)
                }
                // A reader that stops reading ends it.
                let head = try Child(
                    ["sh", "-c", "\(try watch(client.bondd)) | head -n 1"], in: client.namespace)
                #expect(try head.wait(seconds: 5) == .exited(0))
            }
        }
    }
}
