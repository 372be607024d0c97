import FoundationEssentials
import Glibc

extension Bondd {
    /// The daemon's current resident memory in kB: VmRSS of /proc. 0 if it is not running.
    public var residentKilobytes: Int {
        guard let child, let file = fopen("/proc/\(child.pid)/status", "re") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            let words = text.split { $0 == " " || $0 == "\t" }
            if words.first == "VmRSS:", words.count > 1 { return Int(words[1]) ?? 0 }
        }
        return 0
    }

    /// CPU time of its threads so far, in seconds: /proc's schedstat, which counts nanoseconds.
    public var runningSeconds: Double {
        guard let child else { return 0 }
        let tasks = "/proc/\(child.pid)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
        return threads.reduce(0) { sum, thread in
            guard let file = fopen("\(tasks)/\(thread)/schedstat", "re") else { return sum }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 128)
            guard fgets(&line, Int32(line.count), file) != nil else { return sum }
            return sum + Double(strtoull(line, nil, 10)) / 1e9
        }
    }
}
