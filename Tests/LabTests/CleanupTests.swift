import Foundation
import Glibc
import Testing

@testable import Lab

extension LiveTests {
    /// Nothing is left when a lab ends. (Inside `LiveTests`, to be serialized with it.)
    @Suite("Cleaning up") struct Cleanup {
        /// Whether any process still holds a network namespace (`net:[inode]`).
        private func isHeld(_ namespace: String) -> Bool {
            let files = FileManager.default
            for pid in (try? files.contentsOfDirectory(atPath: "/proc")) ?? [] where Int(pid) != nil {
                let fds = ((try? files.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []).map {
                    "fd/\($0)"
                }
                for link in ["ns/net"] + fds
                where (try? files.destinationOfSymbolicLink(atPath: "/proc/\(pid)/\(link)")) == namespace {
                    return true
                }
            }
            return false
        }

        private func identity(_ path: String) throws -> String {
            try FileManager.default.destinationOfSymbolicLink(atPath: path)
        }

        @Test func closingLeavesNoNamespaceDeviceOrProcess() throws {
            let lab = try Lab(seed: 1)
            let (client, server) = (try lab.namespace("client"), try lab.namespace("server"))
            let link = try lab.link(LinkSpec("fibre=10/1"), from: client, to: server)
            let child = try client.spawn(["sleep", "1000"])
            let names = try [client, server].map { try identity($0.path) }
            let witness = open(client.path, O_RDONLY | O_CLOEXEC)
            #expect(names.allSatisfy(isHeld) && child.isRunning)
            lab.close()
            lab.close()
            #expect(!child.isRunning && isGone(child.pid))
            // The witness keeps the client's namespace, so that the absence of the device can be checked.
            let peek = "/proc/\(getpid())/fd/\(witness)"
            let interfaces = try Child.run(["nsenter", "--net=\(peek)", "ip", "-o", "link"])
            #expect(interfaces.contains("lo:") && !interfaces.contains("fibre"))
            close(witness)
            #expect(!names.contains(where: isHeld))
            #expect(throws: LabError.closed) { try client.spawn(["true"]) }
            #expect(throws: LabError.closed) { try link.plug(.client) }
        }

        @Test func aForgottenLabClosesItself() throws {
            var name = ""
            var child: Child?
            do {
                let lab = try Lab(seed: 1)
                let client = try lab.namespace("client")
                _ = try lab.link(LinkSpec("fibre=10/1"), from: client, to: lab.namespace("server"))
                name = try identity(client.path)
                child = try client.spawn(["sleep", "1000"])
            }
            #expect(!isHeld(name))
            #expect(child?.status == .signalled(SIGKILL))
        }

        /// `bondlab`, which is next to the tests if the whole package was built.
        private static let bondlab: String? = {
            let directory = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
                .deletingLastPathComponent()
            let path = directory.appendingPathComponent("bondlab").path
            return access(path, X_OK) == 0 ? path : nil
        }()

        @Test(.enabled(if: Self.bondlab != nil, "bondlab is not built"), arguments: [SIGKILL, SIGTERM])
        func aKilledBondlabTakesAllWithIt(_ signal: Int32) throws {
            let bondlab = try Child([
                try #require(Self.bondlab), "run", "--link", "fibre=10/1", "--", "sh", "-c",
                "echo pid=$$; exec sleep 1000",
            ])
            // stdout of the command is bondlab's own.
            try bondlab.waitForOutput("pid=", seconds: 10)
            usleep(50_000)
            let sleeper = try #require(
                bondlab.output.split(separator: "\n").first { $0.hasPrefix("pid=") }.flatMap {
                    Int32($0.dropFirst(4))
                })
            let name = try identity("/proc/\(sleeper)/ns/net")
            #expect(name != (try identity("/proc/self/ns/net")))
            kill(bondlab.pid, signal)
            #expect(try bondlab.wait(seconds: 5) == (signal == SIGKILL ? .signalled(SIGKILL) : .exited(0)))
            #expect(isGone(sleeper))
            #expect(!isHeld(name))
        }

        @Test(.enabled(if: Self.bondlab != nil, "bondlab is not built")) func userNamespacesAreEnough() throws
        {
            let output = try Child.run([
                "unshare", "--user", "--map-root-user", "--net", "--mount", try #require(Self.bondlab), "run",
                "--link",
                "fibre=10/1", "--", "ping", "-c", "2", "-i", "0.1", "10.100.0.2",
            ])
            #expect(output.contains(" 0% packet loss"))
        }
    }
}
