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

/// Waits until a condition holds; records an issue if it does not within that many seconds.
func wait(seconds: Double, _ what: String, until isSo: () throws -> Bool) throws {
    for _ in 0..<Int(seconds * 20) {
        if try isSo() { return }
        usleep(50_000)
    }
    Issue.record("\(what) did not come within \(seconds) s")
}

/// Prints a measured figure, so that a log of the tests records them.
func measured(_ what: String, _ value: Double, _ unit: String) {
    print("measured: \(what): \((value * 100).rounded() / 100) \(unit)")
}

extension Watch {
    /// The longest silences after `moment` of the wall clock in ms: of the client's pings and of the server's.
    func silences(after moment: Double, _ what: String) -> (out: Double, in: Double) {
        let (out, back) = finish()
        let silences = (out.silence(after: moment), back.silence(after: moment))
        measured("\(what), from the client", silences.0, "ms")
        measured("\(what), from the server", silences.1, "ms")
        #expect(out.duplicates == 0 && back.duplicates == 0)
        return silences
    }
}
