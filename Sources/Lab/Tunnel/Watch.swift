import Glibc

/// Pings through a tunnel from both ends, 100 times per second each, while a fault occurs.
public struct Watch: Sendable {
    private let outbound: PingRun.Running
    private let inbound: PingRun.Running

    /// Starts pinging, and returns once pings are flowing. Throws like `PingRun.start`.
    public init(_ tunnel: Tunnel, _ client: TunnelClient, seconds: Double) throws(LabError) {
        let count = Int(seconds * 100)
        outbound = try PingRun.start(from: client.namespace, to: Tunnel.serverAddress, count: count)
        inbound = try PingRun.start(from: tunnel.server.namespace, to: client.address, count: count)
        usleep(500_000)
    }

    /// Waits for the end; returns the client's pings and the server's.
    public func finish() -> (outbound: PingRun, inbound: PingRun) {
        (outbound.finish(), inbound.finish())
    }
}
