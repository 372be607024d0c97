import CLinux
import FoundationEssentials
import Glibc

/// A thread of a child that is stopped while the others run, like a hung thread. Stop and resume it on the same
/// thread.
public struct StoppedThread: Sendable {
    private let number: Int32

    /// Stops the thread of that name (the process's own is its main thread's). Throws `system`.
    public init(_ name: String, of child: Child) throws(LabError) {
        let tasks = "/proc/\(child.pid)/task"
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
        let found = numbers.first { number in
            (try? String(contentsOfFile: "\(tasks)/\(number)/comm", encoding: .utf8)) == name + "\n"
        }
        guard let number = found.flatMap({ Int32($0) }) else {
            throw .system(call: "looking for the thread '\(name)'", errno: 3)
        }
        self.number = number
        let code = lab_stop_thread(number)
        if code < 0 { throw .system(call: "ptrace", errno: -code) }
    }

    /// Waits until its process has ended the thread, without which the process itself cannot end. Not for the main
    /// thread.
    public func end(within seconds: Double) {
        let start = Clock.monotonic
        while lab_reap_thread(number) == 0, Clock.monotonic - start < seconds { usleep(10_000) }
    }

    /// Resumes the thread.
    public func resume() { _ = lab_resume_thread(number) }
}
