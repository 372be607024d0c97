import Glibc
import Lab

/// The quality experienced by a flow and by other traffic next to it.
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
                Sample("with a flow: median", "ms", loaded.medianRTT ?? .infinity),
                Sample("with a flow: 95th percentile", "ms", loaded.quantile(0.95) ?? .infinity),
                Sample("with a flow: lost pings of 500", "packets", Double(loaded.lost)),
            ]
        }
    }

    /// Both directions in turn, like all following ones.
    func udp() throws -> [Sample] {
        try [false, true].flatMap { reverse in
            try stopper.check()
            return try Tunnel.with(Throughput.fibreAndLTE, mode: "auto") { tunnel, client in
                let flow = try UDPFlow.run(
                    from: client.namespace, to: tunnel.server.namespace, address: Tunnel.serverAddress,
                    megabits: 112.5, seconds: 8, reverse: reverse)
                let way = reverse ? "down" : "up"
                return [
                    Sample("\(way): arrived", "Mbit/s", flow.megabits, of: 112.5),
                    Sample("\(way): lost", "%", flow.loss * 100, .atMost(0.5)),
                    Sample("\(way): out of order", "packets", Double(flow.outOfOrder), .atMost(0)),
                ]
            }
        }
    }

    /// A telephone call: 40 s in each direction.
    func call() throws -> [Sample] {
        try Tunnel.with(["first=50/20,loss=5%", "second=50/20,loss=5%"], mode: "auto") { tunnel, client in
            let (inside, outside) = (client.namespace, tunnel.server.namespace)
            let ways = [
                ("up", inside, outside, Tunnel.serverAddress), ("down", outside, inside, client.address),
            ]
            return try ways.flatMap { way, from, to, address in
                try stopper.check()
                let flow = try PacketFlow.run(
                    from: from, to: to, PacketFlow.Plan(to: address, size: 200, rate: 50, seconds: 40))
                return [
                    Sample("\(way): lost", "%", flow.loss * 100, .atMost(0.3)),
                    Sample("\(way): out of order", "packets", Double(flow.outOfOrder)),
                    Sample("\(way): came twice", "packets", Double(flow.duplicates)),
                ]
            }
        }
    }
}
