import Packet
import Proto

extension ConfigurationReader {
    /// Reads `[server]`, `[[path]]`, `[discovery]` and the client's keys in `[tunnel]`.
    func client(
        _ table: TOMLTable, _ tunnel: Configuration.Tunnel
    ) throws(ConfigurationError) -> Configuration.Client {
        let routes = try table.list("routes", "is not NETWORK/PREFIX such as 10.0.0.0/8", CIDR.init(_:))
        for (text, value) in try table.strings("routes") ?? [] {
            if let route = CIDR(text), route != route.network {
                throw table.error("routes", value, "has host bits set; write \(route.network)")
            }
        }
        if let mtu = tunnel.mtu, mtu < 1280, routes?.contains(where: { $0.address.family == .v6 }) == true {
            throw table.error("mtu", table["mtu"]!, "is too small for IPv6, which needs 1280 (RFC 8200)")
        }
        let paths = try paths(tunnel)
        let lan = try lan(tunnel, paths)
        let discovery = try discovery(besides: lan)
        return Configuration.Client(
            server: try peer(), paths: paths, discovery: discovery, routes: routes,
            dns: try table.list("dns", "is not an address such as 10.77.0.1") { IPAddress($0) },
            killSwitch: try table.boolean("kill_switch") ?? false,
            killSwitchAllowsLAN: try table.boolean("kill_switch_lan") ?? false, lan: lan)
    }

    /// Reads `[lan]`: interfaces that are neither the tunnel nor a path.
    private func lan(
        _ tunnel: Configuration.Tunnel, _ paths: [Configuration.Path]
    ) throws(ConfigurationError) -> [String] {
        guard let table = try root.table("lan", keys: ["interfaces"]) else { return [] }
        var interfaces: [String] = []
        for (name, value) in try table.strings("interfaces") ?? [] {
            guard Self.isInterface(name) else {
                throw table.error(
                    "interfaces", value,
                    "is not an interface's name; use at most 15 ASCII characters without '/', ':' and spaces")
            }
            guard name != tunnel.interface else {
                throw table.error("interfaces", value, "is the tunnel itself; name the LAN's interface")
            }
            guard !paths.contains(where: { $0.interface == name }) else {
                throw table.error(
                    "interfaces", value,
                    "is a path's interface as well; an uplink can't be a LAN, remove one of the two")
            }
            if !interfaces.contains(name) { interfaces.append(name) }
        }
        guard !interfaces.isEmpty else {
            throw table.error("needs interfaces = [\"br0\"], the LAN's interface")
        }
        guard interfaces.count <= Configuration.Client.mostLAN else {
            throw table.error(
                "interfaces has more than \(Configuration.Client.mostLAN) names; bridge some of them and name the bridge"
            )
        }
        return interfaces
    }

    private func peer() throws(ConfigurationError) -> Configuration.Peer {
        let keys = ["public_key", "endpoints", "preshared_key_file"]
        guard let table = try root.table("server", keys: keys) else {
            throw ConfigurationError(
                file: file, line: nil,
                problem: "table [server] is missing; a client needs the server's public_key and endpoints")
        }
        let key = try publicKey(in: table)
        let endpoints = try table.list("endpoints", Self.noHostPort) { HostPort($0) } ?? []
        guard !endpoints.isEmpty else { throw table.error("needs endpoints = [\"HOST:PORT\", …]") }
        return Configuration.Peer(
            publicKey: key, endpoints: endpoints, presharedKey: try keyFile("preshared_key_file", in: table))
    }

    private func paths(_ tunnel: Configuration.Tunnel) throws(ConfigurationError) -> [Configuration.Path] {
        let keys = [
            "interface", "mac", "device", "name", "role", "cap_mbit", "data_cap_gb", "endpoint", "gateway",
        ]
        var paths: [Configuration.Path] = []
        for table in try root.tables("path", keys: keys) {
            let hardware = try hardware(table)
            let interface = try interface("interface", in: table)
            guard interface != nil || hardware != nil else {
                throw table.error("needs interface = \"NAME\", or mac or device to name the hardware")
            }
            if hardware != nil, let value = table["interface"] {
                throw table.error("interface", value, "is named twice; keep one of interface, mac and device")
            }
            guard interface != tunnel.interface else {
                throw table.error("interface", table["interface"]!, "is the tunnel itself; name an uplink")
            }
            let name = try name("name", in: table) ?? interface ?? hardware?.word ?? ""
            if paths.contains(where: { $0.name == name }) {
                throw table.error("name \"\(name)\" is used twice; give every path its own")
            }
            paths.append(
                Configuration.Path(
                    name: name, interface: interface ?? "",
                    role: try table.choice("role", "role", of: PathRole.self) ?? .primary,
                    cap: try table.number("cap_mbit", in: 0...1_000_000) ?? 0,
                    dataCap: try table.number("data_cap_gb", in: 0...1_000_000) ?? 0,
                    endpoint: try hostPort("endpoint", in: table), gateways: try gateways(table),
                    hardware: hardware))
        }
        return paths
    }

    /// Reads `mac` or `device`; nil if the path names its interface.
    private func hardware(_ table: TOMLTable) throws(ConfigurationError) -> Configuration.Hardware? {
        let device = try table.string("device")
        if let device, let value = table["device"] {
            guard !device.isEmpty, device.utf8.allSatisfy({ $0 > 32 && $0 < 127 }), !device.hasSuffix("/")
            else {
                throw table.error(
                    "device", value,
                    "is not a hardware location; use the bus-info of ethtool -i, such as usb-0000:00:14.0-1.4"
                )
            }
            if let mac = table["mac"] {
                throw table.error("mac", mac, "is named twice; keep one of interface, mac and device")
            }
        }
        guard let text = try table.string("mac"), let value = table["mac"] else {
            return device.map { .device($0) }
        }
        let mac = text.lowercased().split(
            separator: text.contains("-") ? "-" : ":", omittingEmptySubsequences: false)
        guard [6, 20].contains(mac.count), mac.allSatisfy({ $0.count == 2 && $0.allSatisfy(\.isHexDigit) })
        else {
            throw table.error("mac", value, "is not a hardware address such as 52:54:00:12:34:56")
        }
        return .mac(mac.joined(separator: ":"))
    }

    /// Reads `gateway`: one text, or an array with one for each family.
    private func gateways(_ table: TOMLTable) throws(ConfigurationError) -> [IPAddress] {
        let problem = "is not a router's address such as 192.168.8.1"
        if case .string(let text)? = table["gateway"]?.content {
            guard let address = IPAddress(text) else {
                throw table.error("gateway", table["gateway"]!, problem)
            }
            return [address]
        }
        let gateways = try table.list("gateway", problem) { IPAddress($0) } ?? []
        for (text, value) in try table.strings("gateway") ?? [] {
            let family = IPAddress(text)?.family
            if gateways.first(where: { $0.family == family }) != IPAddress(text) {
                throw table.error("gateway", value, "is a second one of its family; keep one")
            }
        }
        return gateways
    }

    /// - Parameter lan: interfaces to exclude, as they never become uplinks.
    private func discovery(besides lan: [String]) throws(ConfigurationError) -> Configuration.Discovery {
        guard let table = try root.table("discovery", keys: ["include", "exclude"]) else {
            return lan.isEmpty ? .all : Configuration.Discovery(include: ["*"], exclude: lan)
        }
        return Configuration.Discovery(
            include: try table.list("include", "is not a pattern") { $0 } ?? ["*"],
            exclude: (try table.list("exclude", "is not a pattern") { $0 } ?? []) + lan)
    }
}

extension Configuration.Hardware {
    /// The key that names this hardware in the configuration.
    fileprivate var word: String {
        switch self {
        case .mac(let text), .device(let text): text
        }
    }
}
