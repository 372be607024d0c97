import Glibc
import Testing

@testable import Lab

extension LiveTests {
    /// Real datagrams between namespaces.
    @Suite("Packet flows") struct PacketFlows {
        @Test(arguments: [64, 1200]) func allArriveOverAVethPair(_ size: Int) throws {
            let lab = try Lab(seed: 1)
            defer { lab.close() }
            let (client, server) = (try lab.namespace("client"), try lab.namespace("server"))
            let wire = try lab.veth("wire", from: client, to: server)
            var plan = PacketFlow.Plan(
                to: wire.addresses.ipv4(.server), size: size, rate: 5000, seconds: 0.5)
            plan.omit = 0.1
            let before = try #require(server.receivedPackets("wire"))
            let flow = try PacketFlow.run(from: client, to: server, plan)
            let carried = try #require(server.receivedPackets("wire")) - before
            #expect(flow.loss == 0 && flow.duplicates == 0 && flow.outOfOrder == 0 && flow.refused == 0)
            // A late sender sends less, and reports it.
            #expect(flow.sent > 500 && flow.sent <= 2501, "\(flow)")
            // Each is a packet of its own, including those that do not count.
            #expect(carried >= flow.sent && carried <= flow.sent + 502, "\(carried): \(flow)")
        }

        @Test func lossAndCopiesAreCounted() throws {
            let pair = try Pair("radio=inf/5,up.loss=10%,up.dup=5%", seed: 7)
            defer { pair.lab.close() }
            let plan = PacketFlow.Plan(to: pair.address, size: 100, rate: 5000, seconds: 1)
            let flow = try PacketFlow.run(from: pair.client, to: pair.server, plan)
            let counters = pair.link.counters(.up)
            #expect(flow.sent > 1000, "\(flow)")
            // The link may also lose a few frames of the kernel's own, such as neighbour discovery.
            let others = Int(counters.lost) - (flow.sent - flow.received)
            #expect((0...3).contains(others), "\(flow) \(counters)")
            #expect(flow.duplicates > 0 && flow.duplicates == counters.duplicated, "\(flow) \(counters)")
        }

        @Test func whatIsNoAddressIsRefused() throws {
            let pair = try Pair("radio=inf/1")
            defer { pair.lab.close() }
            let plan = PacketFlow.Plan(to: "server", size: 64, rate: 1000, seconds: 0.1)
            #expect(throws: LabError.badAddress("server")) {
                try PacketFlow.run(from: pair.client, to: pair.server, plan)
            }
        }
    }
}
