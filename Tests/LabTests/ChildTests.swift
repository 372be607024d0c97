import Foundation
import Glibc
import Runtime
import Testing

@testable import Lab

@Suite("Children") struct ChildTests {
    @Test func outputErrorsAndStatus() throws {
        let child = try Child(["sh", "-c", "echo out; echo err >&2; exit 3"])
        #expect(try child.wait(seconds: 5) == .exited(3))
        #expect(child.output == "out\n" && child.errors == "err\n")
        #expect(child.cpuSeconds != nil && child.peakMemory.map { $0 > 0 } == true)
        #expect(throws: LabError.failed(command: "false", status: .exited(1), errors: "")) {
            try Child.run(["false"])
        }
    }

    @Test func inputAndEnvironmentReachIt() throws {
        let child = try Child(
            ["sh", "-c", "cat; echo $LAB_TEST"], environment: ["LAB_TEST": "x y"], input: .text("in "))
        #expect(try child.wait(seconds: 5).isSuccess)
        #expect(child.output == "in x y\n")
    }

    @Test func aMissingProgramIsNamed() {
        #expect(throws: LabError.missingProgram("no-such-program")) { try Child(["no-such-program"]) }
        #expect(throws: LabError.self) { try Child(["/no/such/program"]) }
    }

    @Test func deadlinesKillTheWholeGroup() throws {
        let child = try Child(["sh", "-c", "sleep 1000 & echo $!; wait"])
        try child.waitForOutput("\n", seconds: 5)
        let grandchild = try #require(Int32(child.output.dropLast()))
        #expect(throws: LabError.self) { try child.wait(seconds: 0.05) }
        #expect(child.status == .signalled(SIGKILL))
        #expect(isGone(grandchild))
    }

    @Test func whatItLeavesRunningIsKilledWhenItEnds() throws {
        let grandchild = try #require(Int32(try Child.run(["sh", "-c", "sleep 1000 & echo $!"]).dropLast()))
        #expect(isGone(grandchild))
    }

    @Test func stopAsksFirst() throws {
        let polite = try Child(["sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.02; done"])
        try polite.waitForOutput("ready", seconds: 5)
        #expect(polite.stop() == .exited(7))
        let stubborn = try Child(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.02; done"])
        try stubborn.waitForOutput("ready", seconds: 5)
        #expect(stubborn.stop(within: 0.2) == .signalled(SIGKILL))
    }

    @Test func waitingForOutputEndsWithTheChild() throws {
        let child = try Child(["echo", "something else"])
        #expect(throws: LabError.self) { try child.waitForOutput("ready", seconds: 5) }
    }

    @Test func aChildOutlivesTheThreadThatStartedIt() throws {
        let box = Box()
        let thread = try Runtime.Thread.start(name: "short-lived") {
            box.child = try? Child(["sleep", "1000"])
        }
        thread.join()
        usleep(50_000)
        let child = try #require(box.child)
        #expect(child.isRunning)
        #expect(child.kill() == .signalled(SIGKILL))
    }

    /// Written by one thread, read after it was joined.
    final class Box: @unchecked Sendable { var child: Child? }
}

/// Whether a process has ended (a zombie that has not been reaped counts, too), waiting a little for it.
func isGone(_ pid: Int32) -> Bool {
    for _ in 0..<200 {
        guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else {
            return true
        }
        if status.split(separator: ")").last?.split(separator: " ").first == "Z" { return true }
        usleep(10_000)
    }
    return false
}
