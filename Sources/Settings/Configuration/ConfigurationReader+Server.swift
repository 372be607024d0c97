import Packet
import Proto

extension ConfigurationReader {
    /// Reads `[listen]`, `[[client]]`, `[nat]`, `[portunus]` and `[[rule]]`.
    func server(_ tunnel: Configuration.Tunnel) throws(ConfigurationError) -> Configuration.Server {
        guard !tunnel.addresses.isEmpty else {
            throw try root.table("tunnel", keys: Self.tunnelKeys)!
                .error("needs address = [\"ADDRESS/PREFIX\"]; a server's clients are in its network")
        }
        guard let table = try root.table("listen", keys: ["addresses", "endpoints"]) else {
            throw ConfigurationError(
                file: file, line: nil,
                problem:
                    "table [listen] is missing; write addresses = [\"0.0.0.0:5000\", \"[::]:5000\"] in it")
        }
        let problem = "is not ADDRESS:PORT such as 0.0.0.0:5000 or [::]:5000"
        let listen = try table.list("addresses", problem) { text -> Endpoint? in
            guard let endpoint = Endpoint(text), endpoint.port > 0 else { return nil }
            return endpoint
        }
        guard let listen, !listen.isEmpty else {
            throw table.error("needs addresses = [\"0.0.0.0:5000\", \"[::]:5000\"]")
        }
        return Configuration.Server(
            listen: listen, endpoints: try table.list("endpoints", Self.noHostPort) { HostPort($0) } ?? [],
            clients: try clients(tunnel), offer: try offer(), nat: try nat(), portunus: try portunus(),
            rules: try rules(tunnel, listen: listen, health: try health()?.listen))
    }

    private func clients(
        _ tunnel: Configuration.Tunnel
    ) throws(ConfigurationError) -> [Configuration.KnownClient] {
        var clients: [Configuration.KnownClient] = []
        var names: Set<String> = []
        var keys: Set<[UInt8]> = []
        var taken = Set(tunnel.addresses.map(\.address))
        let known = ["name", "public_key", "address", "preshared_key_file", "networks"] + Self.limitKeys
        for table in try root.tables("client", keys: known) {
            guard let name = try name("name", in: table) else { throw table.error("needs name = \"NAME\"") }
            guard names.insert(name).inserted else {
                throw table.error("name", table["name"]!, "is used twice; give every client its own")
            }
            let key = try publicKey(in: table)
            guard keys.insert(key).inserted else {
                throw table.error(
                    "public_key", table["public_key"]!, "is another client's too; every client makes its own")
            }
            let addresses =
                try table.list("address", "is not an address such as 10.77.0.2") { IPAddress($0) } ?? []
            guard !addresses.isEmpty else { throw table.error("needs address = [\"ADDRESS\"]") }
            for (text, value) in try table.strings("address") ?? [] {
                guard let address = IPAddress(text) else { continue }
                guard tunnel.addresses.contains(where: { $0.contains(address) }) else {
                    let networks = TOMLTable.list(tunnel.addresses.map(\.network.description), last: "or")
                    throw table.error(
                        "address", value, "is not in the tunnel's network; use one of \(networks)")
                }
                if let problem = tunnel.addresses.first(where: { $0.contains(address) }).flatMap({
                    CIDR(address, length: $0.length)?.hostProblem
                }) {
                    throw table.error("address", value, "\(problem); use another address in it")
                }
                guard taken.insert(address).inserted else {
                    throw table.error(
                        "address", value, "is taken by the server or another client; use another")
                }
            }
            clients.append(
                Configuration.KnownClient(
                    name: name, publicKey: key, addresses: addresses,
                    presharedKey: try keyFile("preshared_key_file", in: table),
                    networks: try networks(in: table, tunnel, clients), limits: try limits(in: table)))
        }
        return clients
    }

    private static let limitKeys = ["rate_up", "rate_down", "priority"]

    /// Reads a client's rates and priority.
    private func limits(in table: TOMLTable) throws(ConfigurationError) -> Configuration.ClientLimits {
        Configuration.ClientLimits(
            rateUp: try table.number("rate_up", in: 0...Configuration.ClientLimits.highestRate) ?? 0,
            rateDown: try table.number("rate_down", in: 0...Configuration.ClientLimits.highestRate) ?? 0,
            priority: try table.integer("priority", in: 0...3) ?? 1)
    }

    /// Reads the networks behind a client, which must not overlap the tunnel's or those behind `others`.
    private func networks(
        in table: TOMLTable, _ tunnel: Configuration.Tunnel, _ others: [Configuration.KnownClient]
    ) throws(ConfigurationError) -> [CIDR] {
        let known = others.flatMap { client in client.networks.map { ($0, client.name) } }
        var networks: [CIDR] = []
        for (text, value) in try table.strings("networks") ?? [] {
            do throws(ClientNetworks.Refusal) {
                networks.append(
                    try ClientNetworks.check(text, after: networks, tunnel: tunnel.addresses, others: known))
            } catch {
                throw table.error("networks", value, error.problem)
            }
        }
        return networks
    }

    private func offer() throws(ConfigurationError) -> Configuration.Offer {
        guard let table = try root.table("offer", keys: ["dns", "routes"]) else {
            return Configuration.Offer(dns: [], routes: [])
        }
        let dns = try table.list("dns", "is not an address such as 10.77.0.1") { IPAddress($0) } ?? []
        guard dns.count <= Wire.maximumDNS else {
            throw table.error("dns has more than \(Wire.maximumDNS) servers; remove some")
        }
        let routes = try table.list("routes", "is not NETWORK/PREFIX such as 10.0.0.0/8", CIDR.init(_:)) ?? []
        for route in routes where route != route.network {
            throw table.error("routes: \(route) has host bits set; write \(route.network)")
        }
        guard routes.count <= Wire.maximumRoutes else {
            throw table.error("routes has more than \(Wire.maximumRoutes) networks; remove some")
        }
        return Configuration.Offer(dns: dns, routes: routes)
    }

    private func nat() throws(ConfigurationError) -> Configuration.NAT? {
        guard let table = try root.table("nat", keys: ["enabled", "egress", "allow_inbound"]) else {
            return nil
        }
        return Configuration.NAT(
            enabled: try table.boolean("enabled") ?? true,
            egress: try table.list("egress", "is not an interface's name") {
                Self.isInterface($0) ? $0 : nil
            },
            allowsInbound: try table.boolean("allow_inbound") ?? false)
    }

    static let tunnelKeys =
        [
            "role", "interface", "address", "mtu", "mode", "redundant_paths", "cipher", "private_key_file",
            "offload", "buffer_mb", "threads",
        ] + clientKeys
}
