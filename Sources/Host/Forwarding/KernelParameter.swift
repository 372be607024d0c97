import Glibc
import Settings

/// A kernel parameter, such as `net/ipv4/ip_forward`, in the network namespace of the current thread.
struct KernelParameter: Hashable, Sendable {
    /// The path below /proc/sys.
    let path: String

    init(_ path: String) { self.path = path }

    /// The value without surrounding white space; nil if the parameter does not exist.
    var value: String? {
        guard let text = try? TextFile.read("/proc/sys/\(path)", limit: 4096) else { return nil }
        return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// Sets the value.
    /// - Throws: `HostError.file`.
    func set(_ value: String) throws(HostError) {
        let path = "/proc/sys/\(path)"
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw .file("write \(value) to", path: path, errno: errno) }
        defer { close(file) }
        guard write(file, value, value.utf8.count) == value.utf8.count else {
            throw .file("write \(value) to", path: path, errno: errno)
        }
    }

    /// The interfaces that have their own parameters in `net/FAMILY/conf`.
    static func interfaces(_ family: String) -> [String] {
        guard let list = opendir("/proc/sys/net/\(family)/conf") else { return [] }
        defer { closedir(list) }
        var names: [String] = []
        while let entry = readdir(list) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if ![".", "..", "all", "default"].contains(name) { names.append(name) }
        }
        return names.sorted()
    }
}
