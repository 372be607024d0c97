import Glibc
import Lab
import Testing

/// A server and several clients over plain wires, which may communicate through the server.
struct Crowd {
    let tunnel: Tunnel
    var clients: [TunnelClient] { tunnel.clients }

    /// Runs `body` with clients c0, c1 and so on, all sessions up.
    static func with(
        _ count: Int, threads: Int, serverProgram: Program? = nil, _ body: (Crowd) throws -> Void
    ) throws {
        let tunnel = try Tunnel(threads: threads, serverProgram: serverProgram)
        defer { tunnel.close() }
        for number in 0..<count { _ = try tunnel.client("c\(number)", wires: ["w\(number)"]) }
        for client in tunnel.clients { try client.change { $0.routes = ["10.77.0.0/24"] } }
        try tunnel.server.namespace.sysctl("net/ipv4/ip_forward", "1")
        try tunnel.start()
        try body(Crowd(tunnel: tunnel))
    }

    /// Pings the server from every client, every client from the server, and each client's next one, all at once.
    /// - Returns: those that did not get every answer.
    func pingAll(_ count: Int = 50) throws -> [String] {
        var runs: [(who: String, run: PingRun.Running)] = []
        for (i, client) in clients.enumerated() where client.bondd.isRunning {
            let others = clients[(i + 1)...] + clients[..<i]
            guard let next = others.first(where: \.bondd.isRunning) else { continue }
            for (from, to) in [
                (client.namespace, Tunnel.serverAddress), (tunnel.server.namespace, client.address),
                (client.namespace, next.address),
            ] {
                let who = "\(client.bondd.name) and \(to)"
                runs.append((who, try PingRun.start(from: from, to: to, count: count)))
            }
        }
        return runs.map { ($0.who, $0.run.finish()) }.filter { $0.1.lost > 0 || $0.1.duplicates > 0 }
            .map { "\($0.0): \($0.1.lost) of \($0.1.sent) lost, \($0.1.duplicates) twice" }
    }

    /// A TCP flow of every client at once, every second one downwards: with the server, and with the next client, whose
    /// packets leave the kernel on the queue where they entered and so pass between threads.
    /// - Returns: the Mbit/s of each.
    func flows(seconds: Int) throws -> [Double] {
        var running: [TCPFlow.Running] = []
        for (i, client) in clients.enumerated() {
            let next = clients[(i + 1) % clients.count]
            for (port, to, address) in [
                (5300, tunnel.server.namespace, Tunnel.serverAddress), (5400, next.namespace, next.address),
            ] {
                var plan = TCPFlow.Plan(to: address, seconds: seconds)
                (plan.port, plan.reverse) = (UInt16(port + i), i % 2 == 1)
                running.append(try TCPFlow.start(from: client.namespace, to: to, plan))
            }
        }
        return try running.map { try $0.finish().megabits }
    }
}
