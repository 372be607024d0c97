import Glibc
import Packet
import Settings

/// A kill switch as it was last set, in the state directory: what sets it again when bondd starts, as after a boot, and can't
/// read its configuration. A small text file, replaced as a whole.
public struct KillSwitchMarker: Hashable, Sendable {
    /// The tunnel's interface.
    public let interface: String
    /// The configuration that asked for it, as an absolute path.
    public let file: String
    /// Where the server may be reached.
    public let endpoints: [Endpoint]
    /// Whether the host's own networks stay reachable.
    public let allowsLAN: Bool

    private static let suffix = ".killswitch"
    private static let maximumSize = 1 << 16

    /// What is to be remembered of the tunnel of `interface`.
    /// - Parameter file: the configuration, however it is named.
    public init(interface: String, file: String, endpoints: [Endpoint], allowsLAN: Bool) {
        (self.interface, self.file) = (interface, Self.absolute(file))
        (self.endpoints, self.allowsLAN) = (endpoints, allowsLAN)
    }

    /// All that the directory has; what makes no sense has no endpoints.
    public static func all(in directory: String) -> [KillSwitchMarker] {
        guard let list = opendir(directory) else { return [] }
        defer { closedir(list) }
        var markers: [KillSwitchMarker] = []
        while let entry = readdir(list) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasSuffix(suffix), name.utf8.count > suffix.utf8.count else { continue }
            let text = (try? TextFile.read("\(directory)/\(name)", limit: maximumSize)) ?? ""
            markers.append(KillSwitchMarker(interface: String(name.dropLast(suffix.count)), text: text))
        }
        return markers.sorted { $0.interface < $1.interface }
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

    /// Whether the configuration of that name asked for it, or may have, as the marker is damaged.
    public func isOf(_ file: String) -> Bool { self.file.isEmpty || self.file == Self.absolute(file) }

    /// Writes it, and returns when it is on the disk.
    /// - Throws: `ControlError.file`.
    public func write(to directory: String) throws(ControlError) {
        let path = "\(directory)/\(interface)\(Self.suffix)"
        let lines =
            ["# The kill switch as it was last set. bondd unlock removes it."] + ["file \(file)"]
            + (allowsLAN ? ["lan"] : []) + endpoints.map { "endpoint \($0)" }
        do throws(SettingsError) {
            try StateFile.replace(path, with: Array((lines.joined(separator: "\n") + "\n").utf8), mode: 0o644)
        } catch {
            var code = EIO
            if case .file(_, _, let number) = error { code = number }
            throw .file("remember the kill switch in", path: path, errno: code)
        }
    }

    /// Removes it.
    public func remove(from directory: String) { Self.remove(interface: interface, from: directory) }

    /// Removes that of an interface, if there is one.
    public static func remove(interface: String, from directory: String) {
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
