import Glibc
import Lab

/// What else a flow and those beside it feel.
struct Quality {
    private let stopper: Stopper

    init(_ stopper: Stopper) { self.stopper = stopper }

    func latency() throws -> [Sample] {
        try stopper.check()
        return try Tunnel.with(Throughput.fibreAndLTE) { tunnel, client in
            let idle = try PingRun.run(from: client.namespace, to: Tunnel.serverAddress, count: 200)
            var plan = TCPFlow.Plan(to: Tunnel.serverAddress, seconds: 10)
            plan.congestion = "cubic"
            let flow = try TCPFlow.start(from: client.namespace, to: tunnel.server.namespace, plan)
            usleep(4_000_000)
            let loaded = try PingRun.run(from: client.namespace, to: Tunnel.serverAddress, count: 500)
            _ = try flow.finish()
            return [
                Sample("idle: median", "ms", idle.medianRTT ?? .infinity),
                Sample("beside a flow: median", "ms", loaded.medianRTT ?? .infinity),
                Sample("beside a flow: 95th percentile", "ms", loaded.quantile(0.95) ?? .infinity),
                Sample("beside a flow: lost pings of 500", "packets", Double(loaded.lost)),
            ]
        }
    }

    func order() throws -> [Sample] {
        try stopper.check()
        return try Tunnel.with(Throughput.fibreAndLTE) { tunnel, client in
            let flow = try UDPFlow.run(
                from: client.namespace, to: tunnel.server.namespace, address: Tunnel.serverAddress,
                megabits: 112.5, seconds: 8)
            return [
                Sample("arrived", "Mbit/s", flow.megabits, of: 112.5),
                Sample("lost", "%", flow.loss * 100),
                Sample(
                    "out of order", "%",
                    flow.sent == 0 ? 0 : Double(flow.outOfOrder) / Double(flow.sent) * 100),
            ]
        }
    }
}
