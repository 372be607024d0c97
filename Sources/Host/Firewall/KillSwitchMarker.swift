import Glibc
import Packet
import Runtime
import Settings

/// The last kill switch set, kept in the state directory. `bondd run` restores it if the configuration is
/// unreadable, for example after a reboot. A small text file that is replaced as a whole.
package struct KillSwitchMarker: Hashable, Sendable {
    /// The tunnel's interface.
    package let interface: String
    /// The absolute path of the configuration that asked for it.
    package let file: String
    /// The server's endpoints.
    package let endpoints: [Endpoint]
    /// Whether local networks stay reachable.
    package let allowsLAN: Bool

    private static let suffix = ".killswitch"
    private static let maximumSize = 1 << 16

    /// A marker for the tunnel of `interface`.
    /// - Parameter file: the configuration's path, absolute or relative.
    package init(interface: String, file: String, endpoints: [Endpoint], allowsLAN: Bool) {
        (self.interface, self.file) = (interface, Self.absolute(file))
        (self.endpoints, self.allowsLAN) = (endpoints, allowsLAN)
    }

    /// All markers in the directory. A damaged one has an empty `file` or lacks endpoints.
    package static func all(in directory: String) -> [KillSwitchMarker] {
        Directory.names(in: directory).filter { $0.hasSuffix(suffix) && $0 != suffix }.sorted().map { name in
            let text = (try? TextFile.read("\(directory)/\(name)", limit: maximumSize)) ?? ""
            return KillSwitchMarker(interface: String(name.dropLast(suffix.count)), text: text)
        }
    }

    private init(interface: String, text: String) {
        self.interface = interface
        var (file, endpoints, allowsLAN) = ("", [Endpoint](), false)
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            switch (words.first, words.count) {
            case ("file", 2): file = words[1]
            case ("endpoint", 2): if let endpoint = Endpoint(words[1]) { endpoints.append(endpoint) }
            case ("lan", 1): allowsLAN = true
            default: break
            }
        }
        (self.file, self.endpoints, self.allowsLAN) = (file, endpoints, allowsLAN)
    }

    /// Whether the configuration at that path asked for it; also true for a damaged marker, whose owner is
    /// unknown.
    package func isOf(_ file: String) -> Bool { self.file.isEmpty || self.file == Self.absolute(file) }

    /// Writes the marker and returns once it is on disk.
    /// - Throws: `HostError.file`.
    package func write(to directory: String) throws(HostError) {
        let path = "\(directory)/\(interface)\(Self.suffix)"
        let lines =
            ["# The last kill switch set. bondd unlock removes it."] + ["file \(file)"]
            + (allowsLAN ? ["lan"] : []) + endpoints.map { "endpoint \($0)" }
        do throws(RuntimeError) {
            try StateFile.replace(path, with: Array((lines.joined(separator: "\n") + "\n").utf8), mode: 0o644)
        } catch {
            throw .file("remember the kill switch in", path: path, errno: error.code)
        }
    }

    /// Removes the marker.
    package func remove(from directory: String) { Self.remove(interface: interface, from: directory) }

    /// Removes the marker of an interface, if there is one.
    package static func remove(interface: String, from directory: String) {
        unlink("\(directory)/\(interface)\(suffix)")
    }

    private static func absolute(_ file: String) -> String {
        if let resolved = realpath(file, nil) {
            defer { free(resolved) }
            return String(cString: resolved)
        }
        if file.hasPrefix("/") { return file }
        guard let directory = getcwd(nil, 0) else { return file }
        defer { free(directory) }
        return "\(String(cString: directory))/\(file)"
    }
}
