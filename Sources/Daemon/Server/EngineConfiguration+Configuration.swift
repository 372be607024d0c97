import Engine
import Host
import Packet
import Proto
import Scheduler
import Settings

extension EngineConfiguration {
    /// The core's part of a configuration.
    package init(_ configuration: Configuration, mtu: Int) {
        let mode = configuration.tunnel.mode
        let copies = configuration.tunnel.redundantPaths
        let suite = configuration.tunnel.cipher
        let capacity = configuration.tunnel.bufferMegabytes << 20 / PacketPool.bufferSize
        switch configuration.role {
        case .client(let client):
            self.init(
                role: .client, peers: [Peer(client.server)], mode: mode, redundantPaths: copies,
                suite: suite,
                poolCapacity: capacity)
            version = Product.version
        case .server(let server):
            self.init(
                role: .server,
                peers: server.clients.map {
                    Peer($0, configuration.tunnel, mode: mode, mtu: mtu, offer: server.offer)
                },
                mode: mode, redundantPaths: copies, suite: suite, poolCapacity: capacity)
            // A tunnel with a larger MTU than usual implies interfaces that carry it.
            outerMTU = max(outerMTU, mtu + Wire.overhead + IPAddress.Family.v6.outerHeaders)
        }
        classes = configuration.classes.map(\.service)
    }
}

extension EngineConfiguration.Peer {
    init(_ server: Configuration.Peer) {
        self.init(
            name: "server", publicKey: PublicKey(bytes: server.publicKey),
            presharedKey: server.presharedKey.map { PresharedKey(bytes: $0.key) } ?? .none)
    }

    init(
        _ client: Configuration.KnownClient, _ tunnel: Configuration.Tunnel, mode: Mode,
        mtu: Int,
        offer: Configuration.Offer
    ) {
        self.init(
            name: client.name, publicKey: PublicKey(bytes: client.publicKey),
            presharedKey: client.presharedKey.map { PresharedKey(bytes: $0.key) } ?? .none,
            addresses: client.addresses, networks: client.networks, tunnel, mode: mode, mtu: mtu,
            offer: offer
        )
        limits = PeerLimits(client.limits)
    }

    /// A client of a server with that tunnel.
    init(
        name: String, publicKey: PublicKey, presharedKey: PresharedKey, addresses: [IPAddress],
        networks: [CIDR], _ tunnel: Configuration.Tunnel, mode: Mode, mtu: Int,
        offer: Configuration.Offer
    ) {
        // Each address with the prefix of the tunnel's network that it lies in, so that the network is
        // reached.
        let assigned = addresses.map { address in
            let network = tunnel.addresses.first { $0.contains(address) }
            let length = network?.length ?? (address.family == .v4 ? 32 : 128)
            return InterfaceAddress(address: address, prefix: UInt8(length))
        }
        let routes = offer.routes.map { Prefix(address: $0.address, length: UInt8($0.length)) }
        let behind = networks.map { Prefix(address: $0.address, length: UInt8($0.length)) }
        self.init(
            name: name, publicKey: publicKey, presharedKey: presharedKey, addresses: addresses,
            assignment: AssignFrame(
                mtu: UInt16(mtu), addresses: assigned, dns: offer.dns, routes: routes, networks: behind),
            mode: mode, redundantPaths: tunnel.redundantPaths)
        self.networks = behind
    }
}

extension PeerLimits {
    /// The limits of a file.
    init(_ limits: Configuration.ClientLimits) {
        self.init(
            rateUp: Self.rate(megabits: limits.rateUp), rateDown: Self.rate(megabits: limits.rateDown),
            priority: UInt8(limits.priority))
    }

    /// The rate of that many Mbit/s, at most `highestRate`, in bytes a second.
    static func rate(megabits: Double) -> UInt64 { UInt64((megabits * 125_000).rounded(.up)) }
}

extension EngineConfiguration.Peer {
    /// Assigns IPv4 only.
    mutating func leaveOutIPv6() {
        assignment?.addresses.removeAll { $0.address.family == .v6 }
        assignment?.routes.removeAll { $0.address.family == .v6 }
        assignment?.dns.removeAll { $0.family == .v6 }
    }
}

extension Engine {
    /// The Engine of a data thread, with the key of `tunnel`.
    init(_ part: EngineConfiguration, _ tunnel: Configuration.Tunnel, cookieSeed: [UInt8]) {
        self.init(
            part, staticKey: PrivateKey(bytes: tunnel.privateKey.key), seed: Sodium.systemSeed(),
            cookieSeed: cookieSeed)
    }
}
