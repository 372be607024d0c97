import Glibc

/// Pings through a tunnel from both ends, 100 times a second each, while something happens to it.
public struct Watch: Sendable {
    private let outbound: PingRun.Running
    private let inbound: PingRun.Running

    /// Starts to ping, and returns when it is well under way. Throws as `PingRun.start` does.
    public init(_ tunnel: Tunnel, _ client: TunnelClient, seconds: Double) throws(LabError) {
        let count = Int(seconds * 100)
        outbound = try PingRun.start(from: client.namespace, to: Tunnel.serverAddress, count: count)
        inbound = try PingRun.start(from: tunnel.server.namespace, to: client.address, count: count)
        usleep(500_000)
    }

    /// Waits for the end: the client's pings, and the server's.
    public func finish() -> (outbound: PingRun, inbound: PingRun) {
        (outbound.finish(), inbound.finish())
    }
}
