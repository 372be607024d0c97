import Glibc
import Packet
import Settings

/// The host's name servers while a tunnel has its own: through systemd-resolved when it runs, else resolvconf, else
/// /etc/resolv.conf. Every call may take seconds, as programs are run.
public struct NameServers: Sendable {
    /// Which way they were set.
    public enum Way: String, Sendable {
        case resolved = "systemd-resolved"
        case resolvconf
        case file = "/etc/resolv.conf"
    }

    private let interface: String
    private let directory: String
    private let file: String
    private let runDirectory: String

    /// Those of the host.
    /// - Parameters:
    ///   - interface: the tunnel's.
    ///   - directory: bondd's state.
    public init(
        interface: String, directory: String, file: String = "/etc/resolv.conf",
        runDirectory: String = "/run/systemd/resolve"
    ) {
        (self.interface, self.directory) = (interface, directory)
        (self.file, self.runDirectory) = (file, runDirectory)
    }

    /// Has all names asked of these servers.
    /// - Returns: which way they were set.
    /// - Throws: `ControlError.nameServers` or `file`; nothing has changed then.
    public func set(_ servers: [IPAddress]) throws(ControlError) -> Way {
        let texts = servers.map(\.description)
        if isResolvedAsked, Command.find("resolvectl") != nil,
            Command.run(["resolvectl", "dns", interface] + texts) == nil
        {
            // All names, and not only those of some domain. All of it goes with the interface.
            if let problem = Command.run(["resolvectl", "domain", interface, "~."]) {
                _ = Command.run(["resolvectl", "revert", interface])
                throw .nameServers(problem)
            }
            _ = Command.run(["resolvectl", "default-route", interface, "yes"])
            return .resolved
        }
        // systemd's resolvconf is resolvectl under another name.
        if let program = Command.find("resolvconf"), !program.hasSuffix("/resolvectl") {
            try mark()
            // Debian's orders by the name's beginning, and "tun" comes before Ethernet; openresolv takes -m 0 -x for first
            // and alone.
            let problem = Command.run(
                ["resolvconf", "-a", Self.record(interface), "-m", "0", "-x"],
                input: texts.map { "nameserver \($0)\n" }.joined())
            if let problem {
                unlink(note)
                throw .nameServers(problem)
            }
            return .resolvconf
        }
        try resolverFile.replace(with: ResolverFile.text(servers, interface: interface))
        return .file
    }

    /// Whether another program has written the file where these servers were.
    public func areDisplaced(_ servers: [IPAddress]) -> Bool {
        (try? TextFile.read(file, limit: 1 << 20)) != ResolverFile.text(servers, interface: interface)
    }

    /// Undoes what `set` did, now or in an earlier life. What was not done need not be undone.
    public func restore() throws(ControlError) {
        if isResolvedAsked, if_nametoindex(interface) != 0, Command.find("resolvectl") != nil {
            _ = Command.run(["resolvectl", "revert", interface])
        }
        if access(note, F_OK) == 0 {
            if let problem = Command.run(["resolvconf", "-d", Self.record(interface)]) {
                throw .nameServers(problem)
            }
            unlink(note)
        }
        try resolverFile.restore()
    }

    /// Undoes what daemons did whose tunnels are gone.
    /// - Parameter besides: a tunnel whose daemon is known to be dead, though its interface is there.
    public static func clean(directory: String, besides dead: String? = nil) throws(ControlError) {
        guard let entries = opendir(directory) else { return }
        defer { closedir(entries) }
        var interfaces: Set<String> = []
        while let entry = readdir(entries) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            for ending in [".resolv.conf", ".resolvconf"] where name.hasSuffix(ending) {
                interfaces.insert(String(name.dropLast(ending.count)))
            }
        }
        for interface in interfaces.sorted() where if_nametoindex(interface) == 0 || interface == dead {
            try NameServers(interface: interface, directory: directory).restore()
        }
    }

    /// Whether systemd-resolved runs, and names are asked of it.
    private var isResolvedAsked: Bool {
        guard access(runDirectory, F_OK) == 0 else { return false }
        if (try? TextFile.read(file, limit: 1 << 20))?.contains("127.0.0.53") == true { return true }
        let ways = (try? TextFile.read("/etc/nsswitch.conf", limit: 1 << 20)) ?? ""
        return ways.split(separator: "\n").contains {
            $0.hasPrefix("hosts:") && $0.split(separator: " ").contains("resolve")
        }
    }

    private var resolverFile: ResolverFile {
        ResolverFile(path: file, backup: "\(directory)/\(interface).resolv.conf")
    }

    /// A file that says that resolvconf knows of the tunnel.
    private var note: String { "\(directory)/\(interface).resolvconf" }

    private static func record(_ interface: String) -> String { "tun.\(interface).bondd" }

    private func mark() throws(ControlError) {
        do throws(SettingsError) {
            try StateFile.replace(note, with: [])
        } catch {
            guard case .file(let action, let path, let code) = error else { return }
            throw .file(action, path: path, errno: code)
        }
    }
}
