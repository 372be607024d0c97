import Packet
import Proto
import Settings

/// The configuration's requirements on the state: the tunnel's networks, and the names and addresses that the
/// file uses itself.
package struct Plan: Equatable, Sendable {
    /// The file's path as the user gave it.
    package let file: String
    /// The server's addresses in the tunnel, each with its network.
    let tunnelAddresses: [CIDR]
    /// The tunnel's networks, each once, with the first of the server's addresses in it.
    package let networks: [CIDR]
    /// The clients of the file, in file order.
    package let clients: [Configuration.KnownClient]
    /// Where clients reach the server, from the file; empty if not given.
    let endpoints: [HostPort]
    /// The endpoints on which the server listens.
    let listen: [Endpoint]
    /// The server's addresses and those of the file's clients.
    let reserved: Set<IPAddress>

    /// - Parameter tunnel: the tunnel of a server.
    package init(file: String, tunnel: Configuration.Tunnel, server: Configuration.Server) {
        self.init(
            file: file, tunnelAddresses: tunnel.addresses, clients: server.clients,
            endpoints: server.endpoints, listen: server.listen)
    }

    private init(
        file: String, tunnelAddresses: [CIDR], clients: [Configuration.KnownClient], endpoints: [HostPort],
        listen: [Endpoint]
    ) {
        self.file = file
        self.tunnelAddresses = tunnelAddresses
        self.clients = clients
        self.endpoints = endpoints
        self.listen = listen
        var seen: Set<CIDR> = []
        networks = tunnelAddresses.filter { seen.insert($0.network).inserted }
        reserved = Set(tunnelAddresses.map(\.address) + clients.flatMap(\.addresses))
    }

    /// A copy with other addresses of the server.
    func with(_ tunnelAddresses: [CIDR]) -> Plan {
        Plan(
            file: file, tunnelAddresses: tunnelAddresses, clients: clients, endpoints: endpoints,
            listen: listen)
    }

    /// The plan of a server's configuration, read without opening its key files.
    /// - Throws: `ConfigurationError`, or `refused` if it is a client's.
    package init(reading file: String) throws {
        let configuration = try Configuration(reading: file, keys: .leave)
        guard case .server(let server) = configuration.role else {
            throw ControlError.refused("\(file) is a client's; invitations are made on the server")
        }
        self.init(file: file, tunnel: configuration.tunnel, server: server)
    }

    func client(named name: String) -> Configuration.KnownClient? { clients.first { $0.name == name } }

    func hasClient(withKey key: String) -> Bool { clients.contains { Base64.encode($0.publicKey) == key } }

    /// Whether a client may have this address in that network: a host address in the network that the file does
    /// not use.
    func allows(_ address: IPAddress, in network: CIDR) -> Bool {
        network.contains(address) && !reserved.contains(address)
            && Self.hosts(of: network).contains(address.low &- network.network.address.low)
    }

    /// The network's first address that is neither in the file nor in `taken`; nil if there is none.
    func firstFree(in network: CIDR, besides taken: Set<IPAddress>) -> IPAddress? {
        let base = network.network.address
        // At most as many steps as there are taken addresses.
        for host in Self.hosts(of: network) {
            let address =
                base.family == .v4
                ? IPAddress(v4: UInt32(truncatingIfNeeded: base.low &+ host))
                : IPAddress(v6High: base.high, low: base.low &+ host)
            if !reserved.contains(address) && !taken.contains(address) { return address }
        }
        return nil
    }

    /// The possible offsets from the network's address. For IPv4 neither the network nor the broadcast address
    /// (RFC 1122 3.2.1.3), except with prefixes of 31 (RFC 3021) and 32 bits; for IPv6 not the routers' anycast
    /// address (RFC 4291 2.6.1).
    private static func hosts(of network: CIDR) -> ClosedRange<UInt64> {
        let bits = network.address.byteCount * 8 - network.length
        let last = bits >= 64 ? UInt64.max : (1 << UInt64(bits)) - 1
        if bits <= 1 { return 0...last }
        return network.address.family == .v4 ? 1...last - 1 : 1...last
    }
}
