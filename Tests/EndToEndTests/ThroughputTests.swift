import Lab
import Testing

extension EndToEndTests {
    /// One TCP flow gets the sum of the links. Bounds are loose, as machines are noisy; `make bench` has the figures.
    @Suite("Throughput") struct Throughput {
        /// The share of a link's rate that framing leaves to a flow: 1348 bytes of a frame of 1486.
        static let ceiling = 1348.0 / 1486

        /// Up to three attempts, as a burst of work elsewhere on the machine is not the tunnel's fault.
        private func share(_ uplinks: [String], sum: Double, reverse: Bool) throws -> Double {
            var best = 0.0
            for _ in 0..<3 where best < 0.75 {
                best = max(best, try singleShare(uplinks, sum: sum, reverse: reverse))
            }
            return best
        }

        private func singleShare(_ uplinks: [String], sum: Double, reverse: Bool) throws -> Double {
            var share = 0.0
            try withTunnel(uplinks) { tunnel, client in
                var plan = TCPFlow.Plan(to: Tunnel.serverAddress, seconds: 5)
                (plan.omit, plan.congestion, plan.reverse) = (4, "cubic", reverse)
                let flow = try TCPFlow.run(from: client.namespace, to: tunnel.server.namespace, plan)
                share = flow.megabits / (sum * Self.ceiling)
                measured("\(uplinks) \(reverse ? "down" : "up")", flow.megabits, "Mbit/s")
                let way: LinkDirection = reverse ? .down : .up
                let bytes = client.links.map { Double($0.counters(way).deliveredBytes) }
                let least = bytes.min()! / bytes.reduce(0, +)
                measured("share of the path that carried less", least, "")
                #expect(least > 0.1)
            }
            return share
        }

        @Test(arguments: [false, true]) func oneFlowGetsTheSumOfUnequalLinks(reverse: Bool) throws {
            #expect(try share(fibreAndLTE, sum: 150, reverse: reverse) >= 0.75)
        }

        @Test(arguments: [false, true]) func oneFlowGetsTheSumOfEqualLinks(reverse: Bool) throws {
            #expect(try share(equalLinks, sum: 100, reverse: reverse) >= 0.75)
        }

        @Test func datagramsBelowTheSumArriveInOrder() throws {
            var best: UDPFlow?
            for _ in 0..<3 where best.map({ $0.loss > 0.01 || $0.outOfOrder > 30 }) ?? true {
                try withTunnel(fibreAndLTE) { tunnel, client in
                    best = try UDPFlow.run(
                        from: client.namespace, to: tunnel.server.namespace,
                        address: Tunnel.serverAddress, megabits: 75, seconds: 4)
                }
            }
            let flow = try #require(best)
            measured("UDP at 75 of 150 Mbit/s: lost", flow.loss * 100, "%")
            measured("UDP at 75 of 150 Mbit/s: out of order", Double(flow.outOfOrder), "datagrams")
            #expect(flow.loss <= 0.01)
            // Of some 28 800.
            #expect(flow.outOfOrder <= 30)
        }
    }
}
