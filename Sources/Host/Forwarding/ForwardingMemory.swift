import Glibc
import Settings

/// The values of kernel parameters before bondd changed them: a small text file, replaced as a whole before
/// each change, so that the values can be restored after a crash.
struct ForwardingMemory: Sendable {
    /// A parameter that bondd changed.
    struct Entry: Hashable, Sendable {
        let parameter: KernelParameter
        /// The previous value.
        let before: String
        /// The value that bondd set.
        let after: String
    }

    private static let maximumSize = 1 << 18
    static let suffix = ".forwarding"

    /// The interfaces of the tunnels with a memory in a directory.
    static func interfaces(in directory: String) -> [String] {
        Directory.names(in: directory).filter { $0.hasSuffix(suffix) && $0 != suffix }
            .map { String($0.dropLast(suffix.count)) }.sorted()
    }

    /// The file's path.
    let path: String
    /// The parameters in the order in which they were set.
    private(set) var entries: [Entry] = []

    /// Reads the file of an earlier run. Values from before the last boot, or that cannot be read, are ignored.
    /// - Parameter suffix: the end of the file's name, after the parameters in it.
    init(directory: String, interface: String, suffix: String = Self.suffix) {
        path = "\(directory)/\(interface)\(suffix)"
        guard let text = try? TextFile.read(path, limit: Self.maximumSize) else { return }
        var lines = text.split(separator: "\n")[...]
        guard lines.popFirst() == "boot \(Self.boot)" else { return }
        for line in lines {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 3, words[0].hasPrefix("net/"), !words[0].contains("..") else { continue }
            entries.append(
                Entry(parameter: KernelParameter(words[0]), before: words[1], after: words[2]))
        }
    }

    /// Remembers parameters that are not remembered yet, and returns once they are on disk.
    /// - Throws: `HostError.file`.
    mutating func remember(_ more: [Entry]) throws(HostError) {
        let new = more.filter { entry in !entries.contains { $0.parameter == entry.parameter } }
        guard !new.isEmpty else { return }
        entries += new
        let lines = ["boot \(Self.boot)"] + entries.map { "\($0.parameter.path) \($0.before) \($0.after)" }
        do throws(SettingsError) {
            try StateFile.replace(path, with: Array((lines.joined(separator: "\n") + "\n").utf8), mode: 0o644)
        } catch {
            entries.removeAll { new.contains($0) }
            var code = EIO
            if case .file(_, _, let number) = error { code = number }
            throw .file("remember kernel parameters in", path: path, errno: code)
        }
    }

    /// Forgets all parameters.
    mutating func forget() {
        entries = []
        unlink(path)
    }

    /// Identifies this boot of the machine.
    private static var boot: String { KernelParameter("kernel/random/boot_id").value ?? "unknown" }
}
