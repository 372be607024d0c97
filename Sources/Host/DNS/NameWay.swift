import Glibc
import Packet
import Runtime
import Settings

/// An uplink, and the name servers to query over it.
package struct NameWay: Hashable, Sendable {
    /// Maximum number of servers to query.
    package static let mostServers = 4

    /// The uplink's interface.
    package let interface: String
    /// The interface's index.
    package let index: UInt32
    /// The servers, the most likely first.
    package let servers: [IPAddress]

    /// An uplink with the first four of its servers; servers on this host itself are left out.
    package init(interface: String, index: UInt32, servers: [IPAddress]) {
        (self.interface, self.index) = (interface, index)
        var unique: [IPAddress] = []
        for server in servers where !server.isLoopback && !unique.contains(server) { unique.append(server) }
        self.servers = Array(unique.prefix(Self.mostServers))
    }
}

/// The name servers this host knows in addition to the tunnel's.
package struct HostNameServers {
    private static let limit = 1 << 16

    /// The daemon's state directory, which holds the resolver's file while the tunnel's version replaces it.
    private let backup: String
    private let root: String

    /// - Parameters:
    ///   - interface: the tunnel's interface.
    ///   - directory: bondd's state directory.
    ///   - root: a prefix for `/etc` and `/run`, for tests.
    package init(interface: String, directory: String, root: String = "") {
        backup = "\(directory)/\(interface).resolv.conf"
        self.root = root
    }

    /// The servers to query over the interface of that index: those learnt there by systemd-networkd, those in
    /// /etc/resolv.conf before the tunnel, and those kept by systemd-resolved, NetworkManager and resolvconf.
    package func servers(by index: UInt32) -> [IPAddress] {
        var servers = networkd(index)
        servers += Self.listed(in: original)
        for file in ["/run/systemd/resolve/resolv.conf", "/run/NetworkManager/no-stub-resolv.conf"] {
            servers += Self.listed(in: text(root + file))
        }
        return servers
    }

    /// /etc/resolv.conf as it was before bondd replaced it.
    private var original: String {
        let present = text(root + "/etc/resolv.conf")
        let kept = text(backup)
        guard let end = kept.firstIndex(of: "\n"), let length = Int(kept[..<end]) else { return present }
        // The length of bondd's own text, that text, a line about the original, and the original (`ResolverFile`).
        let bytes = Array(kept[kept.index(after: end)...].utf8)
        guard (0...bytes.count).contains(length) else { return present }
        let was = String(decoding: bytes[length...], as: UTF8.self)
        let line = was.prefix { $0 != "\n" }
        if line.hasPrefix("link ") {
            let target = line.dropFirst(5)
            return text(target.hasPrefix("/") ? root + target : root + "/etc/" + target)
        }
        return String(was.dropFirst(line.count))
    }

    /// Reads `DNS=192.0.2.53 2001:db8::53` from systemd-networkd's state of a link; other programs keep none.
    private func networkd(_ index: UInt32) -> [IPAddress] {
        text("\(root)/run/systemd/netif/links/\(index)").split(separator: "\n")
            .first { $0.hasPrefix("DNS=") }?.dropFirst(4).split(separator: " ")
            .compactMap { Self.address($0) } ?? []
    }

    static func listed(in text: String) -> [IPAddress] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.first == "nameserver", words.count >= 2 else { return nil }
            return address(words[1])
        }
    }

    /// Parses an address, ignoring its zone, port and server name.
    private static func address(_ word: Substring) -> IPAddress? {
        IPAddress(String(word.prefix { $0 != "%" && $0 != "#" }))
    }

    private func text(_ path: String) -> String {
        (try? TextFile.read(path, limit: Self.limit)) ?? ""
    }
}
