import Glibc
import Packet
import Runtime
import Settings

/// The host's name servers while a tunnel brings its own: through systemd-resolved if it is running, else
/// resolvconf, else /etc/resolv.conf. Every call may take seconds, because it runs programs.
package struct NameServers: Sendable {
    /// The mechanism used to set them.
    package enum Way: String, Sendable {
        case resolved = "systemd-resolved"
        case resolvconf
        case file = "/etc/resolv.conf"
    }

    private let interface: String
    private let directory: String
    private let file: String
    private let runDirectory: String

    /// The name servers of the host.
    /// - Parameters:
    ///   - interface: the tunnel's interface.
    ///   - directory: bondd's state directory.
    package init(
        interface: String, directory: String, file: String = "/etc/resolv.conf",
        runDirectory: String = "/run/systemd/resolve"
    ) {
        (self.interface, self.directory) = (interface, directory)
        (self.file, self.runDirectory) = (file, runDirectory)
    }

    /// Sends all DNS queries to these servers.
    /// - Returns: the mechanism used.
    /// - Throws: `HostError.nameServers` or `file`; nothing has changed then.
    package func set(_ servers: [IPAddress]) throws(HostError) -> Way {
        let texts = servers.map(\.description)
        if isResolvedAsked, Command.find("resolvectl") != nil,
            Command.run(["resolvectl", "dns", interface] + texts) == nil
        {
            // For all names, not only for certain domains. These settings disappear with the interface.
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
            // Debian's resolvconf orders records by the start of the name, and "tun" precedes Ethernet;
            // openresolv takes -m 0 -x for "first and exclusive".
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

    /// Whether these servers, set that way, are still in force, and the mechanism is still the right one. May
    /// take seconds.
    func holds(_ servers: [IPAddress], _ way: Way) -> Bool {
        switch way {
        case .resolved:
            // "Link 7 (bond0): 10.77.0.1 fd77::1"; nothing after the colon if the settings were lost.
            guard let text = Command.output(["resolvectl", "dns", interface]) else { return false }
            let words = text.split { $0.isWhitespace }
            // A server may carry a "#name" for TLS.
            let known = words.compactMap { $0.split(separator: "#").first.flatMap { IPAddress(String($0)) } }
            return servers.allSatisfy(known.contains)
        case .resolvconf:
            guard let text = record ?? Command.output(["resolvconf", "-l", Self.record(interface)]) else {
                return false
            }
            return servers.allSatisfy(HostResolver.addresses(in: text).contains)
        case .file:
            let text = try? TextFile.read(file, limit: 1 << 20)
            return text == ResolverFile.text(servers, interface: interface) && !isResolvedReady
        }
    }

    /// The name servers the host uses apart from this tunnel's.
    package func host() -> HostResolver {
        var host = HostResolver()
        host.servers = HostResolver.addresses(in: resolverFile.original(interface: interface) ?? "")
        guard host.servers.contains(where: \.isLoopback) else { return host }
        for path in ["\(runDirectory)/resolv.conf", Self.managerFile] {
            let text = (try? TextFile.read(path, limit: 1 << 20)) ?? ""
            host.upstream = HostResolver.addresses(in: text).filter { !$0.isLoopback }
            if !host.upstream.isEmpty { break }
        }
        return host
    }

    /// Where NetworkManager lists the servers its dnsmasq queries.
    private static let managerFile = "/run/NetworkManager/no-stub-resolv.conf"

    /// resolvconf's record of the tunnel, "" if empty; nil if its records are not in Debian's or openresolv's
    /// location.
    private var record: String? {
        for directory in ["/run/resolvconf/interface", "/run/resolvconf/interfaces"]
        where access(directory, F_OK) == 0 {
            return (try? TextFile.read("\(directory)/\(Self.record(interface))", limit: 1 << 16)) ?? ""
        }
        return nil
    }

    /// Whether systemd-resolved is in use and would accept the tunnel's servers.
    private var isResolvedReady: Bool {
        isResolvedAsked && Command.find("resolvectl") != nil
            && Command.run(["resolvectl", "dns", interface]) == nil
    }

    /// Undoes `set`, whether from this run or an earlier one. Does nothing for settings that were never made.
    package func restore() throws(HostError) {
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

    /// Undoes the settings of daemons whose tunnels no longer exist.
    /// - Parameter besides: a tunnel whose daemon is known to be dead, even if its interface still exists.
    package static func clean(directory: String, besides dead: String? = nil) throws(HostError) {
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

    /// Whether systemd-resolved is running and resolves this host's names.
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

    /// A file recording that resolvconf knows the tunnel.
    private var note: String { "\(directory)/\(interface).resolvconf" }

    private static func record(_ interface: String) -> String { "tun.\(interface).bondd" }

    private func mark() throws(HostError) {
        do throws(RuntimeError) {
            try StateFile.replace(note, with: [])
        } catch {
            guard case .file(let action, let path, let code) = error else { return }
            throw .file(action, path: path, errno: code)
        }
    }
}
