import Lab

/// A carrier of packets from a client to a server over veth pairs without limits.
enum Contender {
    /// The veth pair itself.
    case bare
    /// Two wireguard-go.
    case wireGuard(WireGuardProgram)
    /// Two bondd, mode stripe.
    case bondd(cipher: Cipher, paths: Int)

    /// A cipher of bondd.
    enum Cipher: String {
        case chacha = "chacha20-poly1305"
        case aes = "aes-256-gcm"

        var name: String { self == .chacha ? "ChaCha20" : "AES-256" }
    }

    /// Its name in figures.
    var name: String {
        switch self {
        case .bare: "without a tunnel"
        case .wireGuard: "wireguard-go"
        case .bondd(let cipher, let paths): "\(cipher.name), \(paths == 1 ? "one path" : "two paths")"
        }
    }

    /// Whether it is bondd, rather than a reference.
    var isBondd: Bool { if case .bondd = self { true } else { false } }

    /// Sets it up in its own namespaces.
    func open() throws -> Course {
        switch self {
        case .bare:
            let lab = try Lab(seed: 1)
            let (client, server) = (try lab.namespace("client"), try lab.namespace("server"))
            let wire = try lab.veth("wire0", from: client, to: server)
            return Course(
                contender: self, client: client, server: server, address: wire.addresses.ipv4(.server),
                serverInterface: wire.interface(.server), daemons: [], close: lab.close)
        case .wireGuard(let program):
            let tunnel = try WireGuardTunnel(program, keys: Program())
            return Course(
                contender: self, client: tunnel.client, server: tunnel.server,
                address: WireGuardTunnel.serverAddress, serverInterface: tunnel.serverInterface,
                daemons: [("client", tunnel.clientDaemon), ("server", tunnel.serverDaemon)],
                close: tunnel.close)
        case .bondd(let cipher, let paths):
            let tunnel = try Tunnel(cipher: cipher.rawValue)
            let client = try tunnel.client("client", wires: (0..<paths).map { "wire\($0)" })
            try tunnel.start()
            let daemons = [("client", client.bondd.child), ("server", tunnel.server.child)]
            return Course(
                contender: self, client: client.namespace, server: tunnel.server.namespace,
                address: Tunnel.serverAddress, serverInterface: "bond0",
                daemons: daemons.compactMap { end, child in child.map { (end, $0) } }, close: tunnel.close)
        }
    }
}

/// A contender that is set up.
struct Course {
    let contender: Contender
    let client: Namespace
    let server: Namespace
    /// The server's address in the tunnel.
    let address: String
    /// The interface at which packets arrive on the server.
    let serverInterface: String
    let daemons: [(end: String, child: Child)]
    /// Stops it; to be called in any case.
    let close: () -> Void

    var name: String { contender.name }
}
