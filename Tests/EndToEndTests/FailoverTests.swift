import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// Links that fail while others stay.
    @Suite("Failover") struct Failover {
        /// Pings the server 100 times a second while a link becomes a black hole.
        private func blackHole(_ uplinks: [String], mode: String, link: Int) throws -> PingRun {
            var run: PingRun?
            try withTunnel(uplinks, mode: mode) { tunnel, client in
                let ping = try PingRun.start(from: client.namespace, to: Tunnel.serverAddress, count: 250)
                usleep(800_000)
                client.links[link].isDown = true
                run = ping.finish()
            }
            return try #require(run)
        }

        @Test(arguments: [0, 1]) func redundantDoesNotNoticeABlackHole(link: Int) throws {
            let run = try blackHole(equalLinks, mode: "redundant", link: link)
            measured("redundant: added gap", run.largestGap - 10, "ms")
            #expect(run.lost == 0 && run.duplicates == 0)
            #expect(run.largestGap - 10 <= 20)
        }

        @Test(arguments: [0, 1]) func stripeIsSilentForLessThan300ms(link: Int) throws {
            let run = try blackHole(fibreAndLTE, mode: "stripe", link: link)
            measured("stripe: gap", run.largestGap, "ms")
            measured("stripe: lost pings", Double(run.lost), "")
            #expect(run.largestGap <= 300 && run.duplicates == 0)
            #expect(run.replies.last?.sequence == 250)
        }

        @Test func redundantHidesIndependentLoss() throws {
            try withTunnel(["first=50/10,loss=5%", "second=50/15,loss=5%"], mode: "redundant") {
                tunnel, client in
                let flow = try UDPFlow.run(
                    from: client.namespace, to: tunnel.server.namespace, address: Tunnel.serverAddress,
                    megabits: 3, seconds: 8, size: 200)
                measured("redundant, 5 % loss on both: lost inside", flow.loss * 100, "%")
                #expect(flow.sent > 14_000)
                // 0.25 % are lost on both links, and repaired if there is time.
                #expect(flow.loss <= 0.006)
                // A tenth of the packets arrive only once: fewer would mean that the links lose nothing.
                let copies = Double(try tunnel.server.status().sessions[0].reorder.duplicates)
                #expect(copies > 10_000 && copies < Double(flow.sent) * 0.95)
            }
        }

        /// A retransmission takes 310 ms on this link, which is too late.
        @Test func repairsInAdvanceHideTheLossOfALongLink() throws {
            try withTunnel(["far=20/150,loss=3%"], mode: "auto") { tunnel, client in
                let (from, to) = (client.namespace, tunnel.server.namespace)
                // The link's capacity is learnt in the first round trips.
                _ = try UDPFlow.run(
                    from: from, to: to, address: Tunnel.serverAddress, megabits: 8, seconds: 3)
                let flow = try UDPFlow.run(
                    from: from, to: to, address: Tunnel.serverAddress, megabits: 8, seconds: 10)
                measured("20/150, 3 % loss: lost inside", flow.loss * 100, "%")
                let disorder = Double(flow.outOfOrder) / Double(flow.sent)
                measured("20/150, 3 % loss: out of order inside", disorder * 100, "%")
                let recovered = Double(try tunnel.server.status().sessions[0].reorder.recovered)
                measured("20/150, 3 % loss: recovered", recovered / Double(flow.sent) * 100, "%")
                #expect(flow.sent > 7000 && flow.loss <= 0.005 && disorder <= 0.015)
                #expect(recovered > Double(flow.sent) * 0.015)
            }
        }

        @Test func carrierLossIsSeenAtOnceAndTheLinkComesBack() throws {
            try withTunnel(fibreAndLTE) { tunnel, client in
                let watch = try Watch(tunnel, client, seconds: 4)
                let off = Clock.wall
                try client.links[0].setCarrier(false)
                try client.bondd.wait(for: "fibre to be down", seconds: 1) { status in
                    status.path("fibre")?.state == "down"
                }
                usleep(500_000)
                let on = Clock.wall
                try client.links[0].setCarrier(true)
                try client.waitUntilWhole(seconds: 3)
                measured("carrier back to path up", (Clock.wall - on) * 1000, "ms")
                let silences = watch.silences(after: off, "carrier lost on one of two links")
                #expect(silences.out <= 300 && silences.in <= 600)
            }
        }

        @Test func anUnpluggedInterfaceIsUsedAgainWhenItIsBack() throws {
            try withTunnel(fibreAndLTE) { tunnel, client in
                let watch = try Watch(tunnel, client, seconds: 5)
                let off = Clock.wall
                client.links[0].unplug(.client)
                usleep(1_000_000)
                let on = Clock.wall
                try client.links[0].plug(.client)
                try client.waitUntilWhole(seconds: 3)
                measured("interface back to path up", (Clock.wall - on) * 1000, "ms")
                let silences = watch.silences(after: off, "interface deleted, one of two")
                #expect(silences.out <= 300 && silences.in <= 600)
            }
        }

        @Test func bothLinksMayVanishAndComeBack() throws {
            try withTunnel(fibreAndLTE) { tunnel, client in
                let watch = try Watch(tunnel, client, seconds: 8)
                for link in client.links { link.isDown = true }
                usleep(3_000_000)
                let back = Clock.wall
                for link in client.links { link.isDown = false }
                let silences = watch.silences(after: back, "both links black for 3 s")
                #expect(silences.out <= 3000 && silences.in <= 3000)
                #expect(try client.bondd.status().isWhole)
            }
        }
    }
}
