import Glibc
import Packet
import Proto
import Runtime

extension Configuration {
    /// Maximum size of a configuration file in bytes.
    package static let maximumFile = 1 << 20

    /// How the key files named in a configuration are treated.
    package enum Keys: Sendable {
        /// They are read and checked.
        case read
        /// They are left unopened and the keys stay empty, for a program that may not read them.
        case leave
        /// They are read and checked, and files that only bondd-control needs must exist, too.
        case check
    }

    /// Reads and validates the file at `path` and the key files it names.
    /// - Throws: `ConfigurationError` for the first problem found.
    package init(reading path: String, keys: Keys = .read) throws(ConfigurationError) {
        let text: String
        do {
            text = try TextFile.read(path, limit: Self.maximumFile)
        } catch {
            let remedy =
                "; make one with bondd init on a server, bondd join LINK on a client, or name another with --config"
            throw ConfigurationError(
                file: path, line: nil, problem: error.isMissing ? "does not exist\(remedy)" : error.sentence)
        }
        try self.init(text: text, file: path, keys: keys)
    }

    /// Validates `text`. `file` is the path used in errors and the base for relative paths.
    /// - Throws: `ConfigurationError` for the first problem found.
    package init(text: String, file: String, keys: Keys = .read) throws(ConfigurationError) {
        let value: TOMLValue
        do throws(TOMLSyntaxError) {
            value = try TOMLValue.parse(text)
        } catch {
            throw ConfigurationError(file: file, line: error.line, problem: error.sentence(in: text))
        }
        let root = try ConfigurationReader.root(value, file: file)
        let reader = ConfigurationReader(file: file, root: root, keys: keys)
        self = try reader.configuration()
    }
}

/// Turns the tables of one file into a `Configuration`.
struct ConfigurationReader {
    let file: String
    let root: TOMLTable
    let keys: Configuration.Keys

    static let clientTables = ["server", "path", "discovery", "lan"]
    static let serverTables = ["listen", "nat", "offer", "client", "portunus", "rule"]
    static let clientKeys = ["routes", "dns", "kill_switch", "kill_switch_lan"]

    static func root(_ value: TOMLValue, file: String) throws(ConfigurationError) -> TOMLTable {
        try TOMLTable(
            value, file: file, label: "", keys: ["tunnel", "class", "health"] + clientTables + serverTables)
    }

    func configuration() throws(ConfigurationError) -> Configuration {
        guard let table = try root.table("tunnel", keys: Self.tunnelKeys) else {
            throw ConfigurationError(
                file: file, line: nil, problem: "table [tunnel] is missing; it sets this host's role")
        }
        guard let role = try table.string("role") else {
            throw table.error("needs role = \"client\" or role = \"server\"")
        }
        switch role {
        case "client":
            try refuse(Self.serverTables, of: "server")
            let tunnel = try tunnel(table)
            let client = try client(table, tunnel)
            return try finish(table, tunnel, .client(client))
        case "server":
            try refuse(Self.clientTables, of: "client")
            for key in Self.clientKeys {
                if let value = table[key] { throw table.error(key, value, "is a client's key; remove it") }
            }
            let tunnel = try tunnel(table)
            let server = try server(tunnel)
            return try finish(table, tunnel, .server(server))
        default: throw table.error("role", table["role"]!, "is not a role; use client or server")
        }
    }

    private func refuse(_ tables: [String], of role: String) throws(ConfigurationError) {
        for key in tables {
            guard let value = root[key] else { continue }
            let isArray = if case .array = value.content { true } else { false }
            // An array of tables takes the line of its first table.
            var line = value.line
            if case .array(let items) = value.content, let first = items.first { line = first.line }
            throw ConfigurationError(
                file: file, line: line,
                problem:
                    "\(isArray ? "[[\(key)]]" : "[\(key)]") is a \(role)'s table; remove it or correct the role"
            )
        }
    }

    private func tunnel(_ table: TOMLTable) throws(ConfigurationError) -> Configuration.Tunnel {
        let addresses =
            try table.list("address", "is not ADDRESS/PREFIX such as 10.77.0.2/24", CIDR.init(_:)) ?? []
        var hosts: Set<IPAddress> = []
        for (text, value) in try table.strings("address") ?? [] {
            guard let address = CIDR(text)?.address else { continue }
            if !hosts.insert(address).inserted {
                throw table.error("address", value, "is listed twice; remove one")
            }
            if let host = CIDR(text), let problem = host.hostProblem {
                throw table.error(
                    "address", value, "\(problem); use an address in it, such as \(host.firstHost)")
            }
        }
        let mtu = try table.integer("mtu", in: 576...1900)
        if let mtu, mtu < 1280, addresses.contains(where: { $0.address.family == .v6 }) {
            throw table.error("mtu", table["mtu"]!, "is too small for IPv6, which needs 1280 (RFC 8200)")
        }
        let cipher = try table.choice("cipher", "cipher", of: CipherSuite.self) ?? .chacha20poly1305
        guard cipher.isAvailable else {
            throw table.error(
                "cipher", table["cipher"]!,
                "needs a CPU with AES instructions or a bondd built with libcrypto; use chacha20-poly1305 on both ends"
            )
        }
        guard let privateKey = try keyFile("private_key_file", in: table) else {
            throw table.error("needs private_key_file = \"FILE\"; make one with: bondd keygen --out FILE")
        }
        return Configuration.Tunnel(
            interface: try interface("interface", in: table) ?? "bond0", addresses: addresses, mtu: mtu,
            mode: try table.choice("mode", "mode", of: Mode.self) ?? .auto,
            redundantPaths: try table.integer(
                "redundant_paths", in: 0...Int64(Wire.maximumPaths)) ?? 0,
            cipher: cipher, privateKey: privateKey, offload: try table.boolean("offload") ?? true,
            bufferMegabytes: try table.integer("buffer_mb", in: 4...1024) ?? 32,
            threads: try threads(in: table))
    }

    /// Reads `threads`, where 0 is the same as no value.
    private func threads(in table: TOMLTable) throws(ConfigurationError) -> Int? {
        let threads = try table.integer("threads", in: 0...8)
        return threads == 0 ? nil : threads
    }

    private func finish(
        _ table: TOMLTable, _ tunnel: Configuration.Tunnel, _ role: Configuration.Role
    ) throws(ConfigurationError) -> Configuration {
        try refuseOwnKey(tunnel)
        return Configuration(
            file: file, tunnel: tunnel, role: role, classes: try classes(), health: try health(),
            notices: notices(table, role))
    }

    /// Notices about settings that have no effect.
    private func notices(_ tunnel: TOMLTable, _ role: Configuration.Role) -> [String] {
        var notices: [String] = []
        if case .client = role, case .integer(2...)? = tunnel["threads"]?.content {
            notices.append("[tunnel] threads is for servers; a client has one data thread")
        }
        switch role {
        case .client(let client): notices += self.notices(client)
        case .server(let server): notices += self.notices(server)
        }
        return notices + missingToken
    }

    /// Notices about settings that may surprise the user of a client.
    private func notices(_ client: Configuration.Client) -> [String] {
        var notices: [String] = []
        if root["discovery"] != nil && !client.paths.isEmpty {
            notices.append("[discovery] is for clients without [[path]], and not used")
        }
        if !client.paths.isEmpty && client.paths.allSatisfy({ $0.role == .never }) {
            notices.append(
                "every [[path]] has role = \"never\", so no path may connect to the server; give one the role primary, backup or metered"
            )
        }
        for (number, path) in client.paths.enumerated() where path.hardware == nil {
            let twin = client.paths[..<number].first {
                $0.interface == path.interface && $0.gateways == path.gateways && $0.hardware == nil
            }
            guard let twin else { continue }
            notices.append(
                "paths \"\(twin.name)\" and \"\(path.name)\" leave by the same interface and router, so they add nothing to each other; give each its own gateway"
            )
        }
        if client.killSwitch && !client.killSwitchAllowsLAN {
            notices.append(
                "[tunnel] kill_switch blocks everything outside the tunnel, including the LAN: SSH sessions from the LAN or over an uplink are cut off, and this host can only be reached from the console and through the tunnel; to keep local networks reachable set kill_switch_lan = true"
            )
        }
        if client.killSwitchAllowsLAN && !client.killSwitch {
            notices.append("[tunnel] kill_switch_lan has no effect without kill_switch = true")
        }
        if client.killSwitch && client.dns?.isEmpty == true {
            notices.append(
                "[tunnel] dns = [] keeps the host's name servers, and kill_switch blocks those outside the tunnel, so names may not resolve; set dns = [\"ADDRESS\"] to one that is reached through the tunnel"
            )
        }
        let families = Set((client.routes ?? []).filter { $0.length == 0 }.map(\.address.family))
        if families.count == 1 {
            let (inside, beside) = families.contains(.v4) ? ("IPv4", "IPv6") : ("IPv6", "IPv4")
            let missing = families.contains(.v4) ? "::/0" : "0.0.0.0/0"
            notices.append(
                "[tunnel] routes sends all \(inside) into the tunnel, but \(beside) bypasses it; add \"\(missing)\""
            )
        }
        return notices
    }

    // MARK: Values common to several tables

    /// Reads an interface name: 1 to 15 bytes, without the characters the kernel refuses.
    func interface(_ key: String, in table: TOMLTable) throws(ConfigurationError) -> String? {
        guard let name = try table.string(key) else { return nil }
        guard Self.isInterface(name) else {
            throw table.error(
                key, table[key]!,
                "is not an interface's name; use 1 to 15 ASCII characters without '/', ':', '%' and spaces")
        }
        return name
    }

    static func isInterface(_ name: String) -> Bool {
        let bytes = name.utf8
        return (1...15).contains(bytes.count) && name != "." && name != ".."
            && bytes.allSatisfy { $0 > 32 && $0 < 127 && $0 != 0x2F && $0 != 0x25 && $0 != 0x3A }
    }

    /// Reads the name of a path, client or rule: characters safe on a command line and in a metric's label.
    func name(_ key: String, in table: TOMLTable) throws(ConfigurationError) -> String? {
        guard let name = try table.string(key) else { return nil }
        guard Label.isGood(name.utf8) else {
            throw table.error(
                key, table[key]!, "is not a name; use at most 63 letters, digits, '-', '_' and '.'")
        }
        return name
    }

    func publicKey(in table: TOMLTable) throws(ConfigurationError) -> [UInt8] {
        guard let text = try table.string("public_key") else {
            throw table.error("needs public_key = \"…\"; the other end prints it with: bondd pubkey < FILE")
        }
        guard let key = Base64.decode(text), key.count == KeyFile.keyLength else {
            throw table.error(
                "public_key", table["public_key"]!,
                "is not a key; it must be 32 bytes in base64 (44 characters)")
        }
        return key
    }

    func hostPort(_ key: String, in table: TOMLTable) throws(ConfigurationError) -> HostPort? {
        guard let text = try table.string(key) else { return nil }
        guard let host = HostPort(text) else { throw table.error(key, table[key]!, Self.noHostPort) }
        return host
    }

    static let noHostPort =
        "is not HOST:PORT such as 203.0.113.7:5000, [2001:db8::7]:5000 or vpn.example.org:5000"

    /// Reads the key file that `key` names, relative to the configuration.
    func keyFile(_ key: String, in table: TOMLTable) throws(ConfigurationError) -> KeyFile? {
        guard let path = try table.string(key) else { return nil }
        if case .leave = keys { return KeyFile(unread: relative(path)) }
        do throws(SettingsError) {
            return try KeyFile(reading: relative(path))
        } catch {
            throw table.error(key, table[key]!, "cannot be used: \(error)")
        }
    }

    /// Resolves `path` relative to the configuration's directory.
    func relative(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }
}
