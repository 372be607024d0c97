import FoundationEssentials
import Glibc

/// A tunnel of two `wireguard-go` over a veth pair, for comparison: MTU 1420 and otherwise default settings.
public final class WireGuardTunnel: Sendable {
    /// The server's address in the tunnel.
    public static let serverAddress = "10.78.0.1"

    /// The namespaces and the veth pair.
    public let lab: Lab
    /// The client's namespace.
    public let client: Namespace
    /// The server's namespace.
    public let server: Namespace
    /// The client's daemon.
    public let clientDaemon: Child
    /// The server's daemon.
    public let serverDaemon: Child
    /// The server's tunnel interface.
    public let serverInterface: String
    private let sockets: [UserspaceAPI]

    /// Starts it, and returns once the first packet has passed.
    ///
    /// - Parameter keys: the program that generates the keys; WireGuard's are of the same kind as bondd's.
    /// Throws like `Lab`, or `failed`, `deadline`, `unreadable`.
    public init(_ program: WireGuardProgram, keys: Program) throws(LabError) {
        let lab = try Lab(seed: 1)
        self.lab = lab
        client = try lab.namespace("client")
        server = try lab.namespace("server")
        let wire = try lab.veth("wire0", from: client, to: server)
        // The sockets of all namespaces are in one directory, so the names must differ.
        let names = ["wgc\(getpid())", "wgs\(getpid())"]
        serverInterface = names[1]
        sockets = names.map(UserspaceAPI.init(interface:))
        let sides = [client, server]
        var daemons: [Child] = []
        var pairs: [(secret: String, known: String)] = []
        for (side, name) in zip(sides, names) {
            pairs.append(try Self.keyPair(keys))
            daemons.append(try side.spawn([program.path, "-f", name]))
        }
        (clientDaemon, serverDaemon) = (daemons[0], daemons[1])
        for i in 0...1 {
            try sockets[i].wait(for: daemons[i])
            var settings = [(key: "private_key", value: pairs[i].secret)]
            if i == 1 { settings.append(("listen_port", "51820")) }
            settings.append(("public_key", pairs[1 - i].known))
            if i == 0 { settings.append(("endpoint", "\(wire.addresses.ipv4(.server)):51820")) }
            settings.append(("allowed_ip", "0.0.0.0/0"))
            try sockets[i].set(settings)
            try sides[i].ip(
                "addr add 10.78.0.\(2 - i)/24 dev \(names[i])\nlink set \(names[i]) mtu 1420 up")
        }
        try waitForAnswer()
    }

    deinit { close() }

    /// Stops everything. May be called again.
    public func close() {
        // When asked to end, they remove their sockets themselves; when killed with the lab, they could not.
        for daemon in [clientDaemon, serverDaemon] where daemon.isRunning { daemon.stop() }
        for socket in sockets { socket.remove() }
        lab.close()
    }

    private func waitForAnswer() throws(LabError) {
        for _ in 0..<5 {
            let pings = try PingRun.run(from: client, to: Self.serverAddress, count: 3, interval: 0.02)
            if pings.lost < 3 { return }
        }
        throw .deadline(waitingFor: "an answer through wireguard-go", seconds: 5)
    }

    /// Generates a key pair in hexadecimal digits, as required by the socket.
    private static func keyPair(_ program: Program) throws(LabError) -> (secret: String, known: String) {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = "\(scratch.path)/key"
        let known = try Child.run([program.path, "keygen", "--out", file])
        let secret = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        guard let digits = hexadecimal(secret), let knownDigits = hexadecimal(known) else {
            throw .unreadable(program: "bondd keygen", output: known)
        }
        return (digits, knownDigits)
    }

    /// The hexadecimal digits of a 32-byte key in base64; nil if it is malformed.
    static func hexadecimal(_ base64: String) -> String? {
        let line = String(base64.prefix { $0 != "\n" })
        guard let bytes = Data(base64Encoded: line), bytes.count == 32 else { return nil }
        return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
