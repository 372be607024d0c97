import Glibc
import Lab

/// How much is lost, and how long traffic stops, when faults occur.
struct Resilience {
    private let stopper: Stopper

    init(_ stopper: Stopper) { self.stopper = stopper }

    func loss() throws -> [Sample] {
        try stopper.check()
        return try Tunnel.with(["first=50/10,loss=5%", "second=50/15,loss=5%"], mode: "redundant") {
            tunnel, client in
            let flow = try UDPFlow.run(
                from: client.namespace, to: tunnel.server.namespace, address: Tunnel.serverAddress,
                megabits: 3, seconds: 10, size: 200)
            return [Sample("lost inside", "%", flow.loss * 100, .atMost(0.6))]
        }
    }

    func recovery() throws -> [Sample] {
        try Mishap.allCases.map { mishap in
            try stopper.check()
            return try Tunnel.with(mishap.uplinks) { tunnel, client in
                let watch = try Watch(tunnel, client, seconds: 7.5)
                try mishap.happen(to: tunnel, client)
                let moment = Clock.wall
                let runs = watch.finish()
                let silence = max(
                    runs.outbound.silence(after: moment), runs.inbound.silence(after: moment))
                return Sample(mishap.rawValue, "ms", silence, .atMost(3000))
            }
        }
    }
}
