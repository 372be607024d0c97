import FoundationEssentials
import Synchronization

/// A real tunnel in a lab: one bondd server and any number of clients, each in its own namespace with emulated
/// uplinks to the server.
///
/// ```swift
/// let tunnel = try Tunnel()
/// defer { tunnel.close() }
/// let laptop = try tunnel.client("laptop", uplinks: ["fibre=100/10", "lte=50/30"])
/// try tunnel.start()
/// let pings = try PingRun.run(from: laptop.namespace, to: Tunnel.serverAddress, count: 100)
/// ```
public final class Tunnel: Sendable {
    /// The server's IPv4 address in the tunnel.
    public static let serverAddress = "10.77.0.1"
    /// The server's IPv6 address in the tunnel.
    public static let serverAddress6 = "fd77::1"

    /// The namespaces and links.
    public let lab: Lab
    /// The server's daemon.
    public let server: Bondd
    private let program: Program
    private let state: Mutex<(file: ServerFile, clients: [TunnelClient])>

    /// A tunnel without clients.
    ///
    /// - Parameters:
    ///   - mode: the mode of both ends.
    ///   - cipher: the cipher of both ends; nil means their default.
    ///   - seed: the seed of all random choices of the links.
    ///   - threads: the server's data threads; nil means its default.
    ///   - clientProgram: another bondd for the clients; nil means the usual one.
    ///   - serverProgram: another bondd for the server; nil means the usual one.
    /// Throws `noProgram`, or like `Lab`.
    public init(
        mode: String = "stripe", cipher: String? = nil, seed: UInt64 = 1, threads: Int? = nil,
        clientProgram: Program? = nil, serverProgram: Program? = nil
    ) throws(LabError) {
        let usual = try Program()
        program = clientProgram ?? usual
        lab = try Lab(seed: seed)
        server = try Bondd("server", serverProgram ?? usual, in: lab.namespace("server"))
        var file = ServerFile()
        (file.mode, file.cipher) = (mode, cipher)
        file.offload = Self.usesOffloads(.server)
        file.threads = threads
        state = Mutex((file, []))
    }

    deinit { close() }

    /// Whether an end's configuration lets it use offloads: BONDD_OFFLOAD=off in the environment disables them
    /// on both ends, BONDD_OFFLOAD=client or server enables them only on that one.
    private static func usesOffloads(_ end: LinkEnd) -> Bool {
        switch ProcessInfo.processInfo.environment["BONDD_OFFLOAD"] {
        case "off": false
        case "client": end == .client
        case "server": end == .server
        default: true
        }
    }

    /// The server's configuration. Setting it writes the file; a running server reads it after SIGHUP.
    public var serverFile: ServerFile { state.withLock { $0.file } }

    /// Changes the server's configuration and writes its file. Throws `system`.
    public func changeServer(_ body: (inout ServerFile) -> Void) throws(LabError) {
        let text = state.withLock { state in
            body(&state.file)
            return state.file.text
        }
        try server.configure(text)
    }

    /// The clients, in the order of their creation.
    public var clients: [TunnelClient] { state.withLock { $0.clients } }

    /// Creates a client known to the server's configuration, not started. Its number i (from 0) determines its
    /// addresses: 10.77.0.(2+i) and fd77::(2+i).
    ///
    /// - Parameters:
    ///   - uplinks: its links, as specs of `LinkSpec`.
    ///   - ipv6: whether paths reach the server over IPv6, a value for each link; the last applies to the rest.
    /// Throws `badSpec`, or like `Lab.link`.
    public func client(
        _ name: String, uplinks: [String], ipv6: [Bool] = [false]
    ) throws(LabError) -> TunnelClient {
        var specs: [LinkSpec] = []
        for text in uplinks { specs.append(try LinkSpec(text)) }
        return try client(name, links: specs, ipv6: ipv6)
    }

    /// Creates a client over links that are already parsed. Throws like `Lab.link`.
    public func client(
        _ name: String, links specs: [LinkSpec], ipv6: [Bool] = [false]
    ) throws(LabError) -> TunnelClient {
        var links: [EmulatedLink] = []
        let namespace = try lab.namespace(name)
        for spec in specs { links.append(try lab.link(spec, from: namespace, to: server.namespace)) }
        let paths = links.enumerated().map { i, link in
            let overIPv6 = ipv6.isEmpty ? false : ipv6[min(i, ipv6.count - 1)]
            let host = overIPv6 ? "[\(link.addresses.ipv6(.server))]" : link.addresses.ipv4(.server)
            return ClientFile.Path(interface: link.name, endpoint: "\(host):5000")
        }
        return try add(name, namespace, links, paths)
    }

    /// Creates a client whose uplinks are plain veth pairs, at the kernel's full speed. Throws like `Lab.veth`.
    public func client(_ name: String, wires: [String]) throws(LabError) -> TunnelClient {
        let namespace = try lab.namespace(name)
        var paths: [ClientFile.Path] = []
        for wire in wires {
            let pair = try lab.veth(wire, from: namespace, to: server.namespace)
            paths.append(
                ClientFile.Path(interface: wire, endpoint: "\(pair.addresses.ipv4(.server)):5000"))
        }
        return try add(name, namespace, [], paths)
    }

    /// Creates a client whose uplinks are veth pairs to a router, behind which the server is at `server`. The
    /// routes between router and server are the caller's. Throws like `Lab.veth`, or `failed`.
    public func client(
        _ name: String, wires: [String], to router: Namespace, server: String
    ) throws(LabError) -> TunnelClient {
        let namespace = try lab.namespace(name)
        var paths: [ClientFile.Path] = []
        for (metric, wire) in wires.enumerated() {
            let pair = try lab.veth(wire, from: namespace, to: router)
            try namespace.ip(
                "route add \(server) via \(pair.addresses.ipv4(.server)) dev \(wire) metric \(metric + 1)")
            paths.append(ClientFile.Path(interface: wire, endpoint: "\(server):5000"))
        }
        return try add(name, namespace, [], paths)
    }

    private func add(
        _ name: String, _ namespace: Namespace, _ links: [EmulatedLink], _ paths: [ClientFile.Path]
    ) throws(LabError) -> TunnelClient {
        let bondd = try Bondd(name, program, in: namespace)
        let number = clients.count
        var file = ClientFile(serverKey: server.publicKey)
        (file.mode, file.cipher) = (serverFile.mode, serverFile.cipher)
        file.offload = Self.usesOffloads(.client)
        file.paths = paths
        let client = TunnelClient(bondd: bondd, links: links, number: number, file: file)
        try client.change { _ in }
        try changeServer { server in
            server.clients.append(
                ServerFile.Client(
                    name: name, publicKey: bondd.publicKey, addresses: [client.address, client.address6]))
        }
        state.withLock { $0.clients.append(client) }
        return client
    }

    /// Starts the server and all clients, and waits until every path is up. Throws `deadline` or `failed`.
    public func start() throws(LabError) {
        try server.start()
        for client in clients { try client.bondd.start() }
        for client in clients { try client.waitUntilWhole() }
    }

    /// Stops everything and removes the files. May be called again.
    public func close() {
        let clients = state.withLock { state in
            defer { state.clients = [] }
            return state.clients
        }
        for client in clients {
            client.bondd.kill()
            client.bondd.scratch.remove()
        }
        server.kill()
        lab.close()
        server.scratch.remove()
    }
}
