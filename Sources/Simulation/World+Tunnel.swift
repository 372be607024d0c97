import Engine
import LinkModel
import Packet
import Proto
import Scheduler

extension World {
    /// Adds a tunnel with a path over every link.
    /// - Parameters:
    ///   - classes: the client's classes of service, for both directions.
    ///   - limits: the server's limits for the client.
    func placeTunnel(
        mode: Mode, seed: UInt64, classes: [ServiceClass] = [], limits: PeerLimits = PeerLimits()
    ) {
        var random = SeededGenerator(seed: seed)
        // The cipher affects how long a run takes, but not its results: both add the same number of bytes.
        let suite: CipherSuite = CipherSuite.aes256gcm.isAvailable ? .aes256gcm : .chacha20poly1305
        let (clientKey, serverKey) = (Self.bytes(&random), Self.bytes(&random))
        let (clientSeed, serverSeed) = (Self.bytes(&random), Self.bytes(&random))
        let inner = InnerHeader.clientAddress
        var client = EngineConfiguration.Peer(
            name: "client", publicKey: PrivateKey(bytes: clientKey).publicKey, addresses: [inner],
            assignment: AssignFrame(
                mtu: 1400, addresses: [InterfaceAddress(address: inner, prefix: 24)], dns: [], routes: []),
            mode: mode)
        client.limits = limits
        let server = EngineConfiguration.Peer(
            name: "server", publicKey: PrivateKey(bytes: serverKey).publicKey)
        let endpoint = Endpoint(address: IPAddress(v4: 0xCB00_7107), port: 5000)
        let count = lanes.count / 2
        let towardsServer = (0..<count).map { Link(socket: UInt16($0 + 1), remote: endpoint) }
        let towardsClient = (0..<count).map {
            Link(
                socket: 0, local: endpoint.address,
                remote: Endpoint(
                    address: IPAddress(v4: 0x0A64_0000 + UInt32($0)), port: UInt16(40000 + $0)))
        }
        var configuration = EngineConfiguration(role: .client, peers: [server], mode: mode, suite: suite)
        configuration.classes = classes
        let clientStation = TunnelStation(
            self, .client,
            engine: Engine(configuration, staticKey: PrivateKey(bytes: clientKey), seed: clientSeed),
            links: towardsServer)
        let serverStation = TunnelStation(
            self, .server,
            engine: Engine(
                EngineConfiguration(role: .server, peers: [client], mode: mode, suite: suite),
                staticKey: PrivateKey(bytes: serverKey), seed: serverSeed), links: towardsClient)
        for (index, link) in towardsServer.enumerated() {
            clientStation.engine.setPath(UInt16(index + 1), role: .primary, link: link, now: now)
        }
        place(client: clientStation, server: serverStation)
    }

    /// Connects the hosts directly by the first link.
    func placeWire() {
        place(client: WireStation(self, .client), server: WireStation(self, .server))
    }

    private static func bytes(_ random: inout SeededGenerator) -> [UInt8] {
        (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
}
