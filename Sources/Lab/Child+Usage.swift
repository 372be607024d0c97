import FoundationEssentials
import Glibc

extension Child {
    /// CPU seconds, user and system, of all its threads so far, to the nanosecond; nil once it has ended.
    public var cpuSecondsSoFar: Double? {
        // /proc/PID/stat counts in hundredths of a second, and /proc/PID/schedstat covers only the first thread.
        var clock = clockid_t()
        var time = timespec()
        guard isRunning, clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else {
            return nil
        }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Its current resident memory in bytes (VmRSS); nil once it has ended.
    public var residentMemory: Int? { memory("VmRSS") }
    /// Its peak resident memory so far in bytes (VmHWM); nil once it has ended.
    public var peakMemorySoFar: Int? { memory("VmHWM") }

    private func memory(_ field: String) -> Int? {
        guard isRunning else { return nil }
        return (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8))
            .flatMap { Self.bytes(of: field, in: $0) }
    }

    /// A value of /proc/PID/status, which is in units of 1024 bytes.
    static func bytes(of field: String, in status: String) -> Int? {
        let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
        let words = line?.split { $0 == " " || $0 == "\t" } ?? []
        guard words.count == 3, words[2] == "kB", let kibibytes = Int(words[1]) else { return nil }
        return kibibytes * 1024
    }
}
