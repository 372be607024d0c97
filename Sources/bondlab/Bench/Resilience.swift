import Glibc
import Lab

/// How long traffic stops, and how much is lost, when things break.
struct Resilience {
    private let stopper: Stopper

    init(_ stopper: Stopper) { self.stopper = stopper }

    /// The pings are 10 ms apart, so that much silence there always is.
    func failover() throws -> [Sample] {
        var samples: [Sample] = []
        for link in [0, 1] {
            let uplinks = Throughput.fibreAndLTE
            let name = "stripe, \(uplinks[link].prefix { $0 != "=" }) of fibre and lte"
            let run = try blackHole(uplinks, mode: "stripe", link: link)
            samples.append(Sample("\(name): gap", "ms", run.largestGap, .atMost(300)))
            samples.append(Sample("\(name): lost pings", "packets", Double(run.lost)))
        }
        let run = try blackHole(["first=50/10", "second=50/10"], mode: "redundant", link: 0)
        samples.append(Sample("redundant, equal links: added gap", "ms", run.largestGap - 10, .atMost(20)))
        samples.append(Sample("redundant: lost pings", "packets", Double(run.lost), .atMost(0)))
        samples.append(
            Sample("redundant: answers that came twice", "packets", Double(run.duplicates), .atMost(0)))
        return samples
    }

    private func blackHole(_ uplinks: [String], mode: String, link: Int) throws -> PingRun {
        try stopper.check()
        return try Tunnel.with(uplinks, mode: mode) { tunnel, client in
            let ping = try PingRun.start(from: client.namespace, to: Tunnel.serverAddress, count: 300)
            usleep(1_000_000)
            client.links[link].isDown = true
            return ping.finish()
        }
    }

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
