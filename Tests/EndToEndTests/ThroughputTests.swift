import Lab
import Testing

extension EndToEndTests {
    /// One TCP flow gets the sum of the links. Bounds are loose, as machines are noisy; `make bench` has the figures.
    @Suite("Throughput") struct Throughput {
        /// 40 bytes of the tunnel's header, shim and tag, 28 of UDP and IP, 14 of Ethernet and 52 of TCP and IP inside
        /// leave this of a link's rate to a flow, with 1400 bytes inside.
        static let ceiling = 0.897

        private func share(_ uplinks: [String], sum: Double, reverse: Bool) throws -> Double {
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
                #expect(least > 0.15)
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
            try withTunnel(fibreAndLTE) { tunnel, client in
                let flow = try UDPFlow.run(
                    from: client.namespace, to: tunnel.server.namespace, address: Tunnel.serverAddress,
                    megabits: 75, seconds: 4)
                measured("UDP at 75 of 150 Mbit/s: lost", flow.loss * 100, "%")
                measured("UDP at 75 of 150 Mbit/s: out of order", Double(flow.outOfOrder), "datagrams")
                #expect(flow.loss < 0.01)
                #expect(Double(flow.outOfOrder) < 0.001 * Double(flow.sent))
            }
        }
    }
}
