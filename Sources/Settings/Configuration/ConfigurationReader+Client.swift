import Packet

extension ConfigurationReader {
    /// `[server]`, `[[path]]`, `[discovery]` and the client's keys of `[tunnel]`.
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
        let discovery = try discovery()
        return Configuration.Client(
            server: try peer(), paths: try paths(tunnel), discovery: discovery, routes: routes,
            dns: try table.list("dns", "is not an address such as 10.77.0.1") { IPAddress($0) },
            killSwitch: try table.boolean("kill_switch") ?? false)
    }

    private func peer() throws(ConfigurationError) -> Configuration.Peer {
        let keys = ["public_key", "endpoints", "preshared_key_file"]
        guard let table = try root.table("server", keys: keys) else {
            throw ConfigurationError(
                file: file, line: nil,
                problem: "there is no table [server]; a client needs the server's public_key and endpoints")
        }
        let key = try publicKey(in: table)
        let endpoints = try table.list("endpoints", Self.noHostPort) { HostPort($0) } ?? []
        guard !endpoints.isEmpty else { throw table.error("needs endpoints = [\"HOST:PORT\", …]") }
        return Configuration.Peer(
            publicKey: key, endpoints: endpoints, presharedKey: try keyFile("preshared_key_file", in: table))
    }

    private func paths(_ tunnel: Configuration.Tunnel) throws(ConfigurationError) -> [Configuration.Path] {
        let keys = ["interface", "name", "role", "cap_mbit", "data_cap_gb", "endpoint", "gateway"]
        var paths: [Configuration.Path] = []
        for table in try root.tables("path", keys: keys) {
            guard let interface = try interface("interface", in: table) else {
                throw table.error("needs interface = \"NAME\"")
            }
            guard interface != tunnel.interface else {
                throw table.error("interface", table["interface"]!, "is the tunnel itself; name an uplink")
            }
            let name = try name("name", in: table) ?? interface
            if paths.contains(where: { $0.name == name }) {
                throw table.error("name \"\(name)\" is used twice; give every path its own")
            }
            paths.append(
                Configuration.Path(
                    name: name, interface: interface,
                    role: try table.choice("role", "role", of: Configuration.PathRole.self) ?? .primary,
                    cap: try table.number("cap_mbit", in: 0...1_000_000) ?? 0,
                    dataCap: try table.number("data_cap_gb", in: 0...1_000_000) ?? 0,
                    endpoint: try hostPort("endpoint", in: table), gateways: try gateways(table)))
        }
        return paths
    }

    /// One text, or an array with one for each family.
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

    private func discovery() throws(ConfigurationError) -> Configuration.Discovery {
        guard let table = try root.table("discovery", keys: ["include", "exclude"]) else { return .all }
        return Configuration.Discovery(
            include: try table.list("include", "is not a pattern") { $0 } ?? ["*"],
            exclude: try table.list("exclude", "is not a pattern") { $0 } ?? [])
    }
}
