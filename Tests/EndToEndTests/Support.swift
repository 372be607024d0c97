import Glibc
import Lab
import Testing

/// Links as in the demo: 100 Mbit/s with 20 ms RTT and 50 Mbit/s with 60 ms RTT, 100 ms of queue each.
let fibreAndLTE = ["fibre=100/10", "lte=50/30"]
/// Two equal links: 50 Mbit/s with 20 ms RTT each.
let equalLinks = ["first=50/10", "second=50/10"]

/// Runs `body` with a tunnel of one client, all paths up.
func withTunnel(
    _ uplinks: [String], mode: String = "stripe", ipv6: [Bool] = [false],
    _ body: (Tunnel, TunnelClient) throws -> Void
) throws {
    let tunnel = try Tunnel(mode: mode)
    defer { tunnel.close() }
    let client = try tunnel.client("laptop", uplinks: uplinks, ipv6: ipv6)
    try tunnel.start()
    try body(tunnel, client)
}

/// Seconds of the wall clock, as replies to pings have them.
func wallClock() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Prints a measured figure, so that a log of the tests is a record of them.
func measured(_ what: String, _ value: Double, _ unit: String) {
    print("measured: \(what): \((value * 100).rounded() / 100) \(unit)")
}

/// Pings through the tunnel from both ends, 100 times a second each, while something happens to it.
struct Watch {
    private let outbound: PingRun.Running
    private let inbound: PingRun.Running

    init(_ tunnel: Tunnel, _ client: TunnelClient, seconds: Double) throws {
        let count = Int(seconds * 100)
        outbound = try PingRun.start(from: client.namespace, to: Tunnel.serverAddress, count: count)
        inbound = try PingRun.start(from: tunnel.server.namespace, to: client.address, count: count)
        usleep(500_000)
    }

    /// The longest silences after `moment` in ms, of the client's pings and of the server's.
    func silences(after moment: Double, _ what: String) throws -> (out: Double, in: Double) {
        let (out, back) = (outbound.finish(), inbound.finish())
        let silences = (out.silence(after: moment), back.silence(after: moment))
        measured("\(what), from the client", silences.0, "ms")
        measured("\(what), from the server", silences.1, "ms")
        #expect(out.duplicates == 0 && back.duplicates == 0)
        return silences
    }
}
