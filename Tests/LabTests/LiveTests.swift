import Glibc
import Testing

@testable import Lab

/// Everything that creates namespaces and interfaces; serialized, as the tests measure time.
@Suite(
    "In namespaces", .serialized,
    .enabled(
        if: Lab.privilege() == .root,
        "needs root, or 'unshare --user --map-root-user --net --mount swift test', and /dev/net/tun"),
    .timeLimit(.minutes(1)))
struct LiveTests {
    /// A lab with one link between "client" and "server".
    struct Pair {
        let lab: Lab
        let client: Namespace
        let server: Namespace
        let link: EmulatedLink
        var address: String { link.addresses.ipv4(.server) }

        init(_ spec: String, seed: UInt64 = 1) throws {
            lab = try Lab(seed: seed)
            client = try lab.namespace("client")
            server = try lab.namespace("server")
            link = try lab.link(LinkSpec(spec), from: client, to: server)
        }
    }

    @Test func roundTripIsTwiceTheDelayAndChangesLive() throws {
        let pair = try Pair("fibre=100/10")
        defer { pair.lab.close() }
        let before = try PingRun.run(from: pair.client, to: pair.address, count: 40)
        #expect(before.loss == 0)
        #expect(abs(try #require(before.medianRTT) - 20) < 1.5)
        try pair.link.apply("delay=25,up.delay=5")
        let after = try PingRun.run(from: pair.client, to: pair.link.addresses.ipv6(.server), count: 40)
        #expect(after.loss == 0)
        #expect(abs(try #require(after.medianRTT) - 30) < 1.5)
    }

    @Test(arguments: [false, true]) func tcpGetsTheRateOfItsDirection(_ reverse: Bool) throws {
        let pair = try Pair("fibre=40/5,up.rate=20")
        defer { pair.lab.close() }
        var plan = TCPFlow.Plan(to: pair.address, seconds: 2)
        (plan.omit, plan.congestion, plan.reverse, plan.interval) = (1, "cubic", reverse, 0.5)
        let flow = try TCPFlow.run(from: pair.client, to: pair.server, plan)
        let rate = reverse ? 40.0 : 20.0
        #expect((0.85 * rate...rate).contains(flow.megabits), "\(flow)")
        #expect((4...5).contains(flow.series.count), "\(flow)")
    }

    @Test func lossIsThatFractionAndAllIsAccountedFor() throws {
        let pair = try Pair("radio=inf/2,up.loss=10%,up.burst=3", seed: 5)
        defer { pair.lab.close() }
        let flood = try DatagramFlood(from: pair.client, to: pair.server, address: pair.address)
        let received = try flood.run(count: 5000)
        let counters = pair.link.counters(.up)
        #expect(counters.sent >= 5000 && counters.sent < 5050)
        #expect(counters.sent == counters.delivered + counters.lost, "\(counters)")
        #expect(received + Int(counters.lost) >= 5000 && received <= Int(counters.delivered))
        // Bursts of mean 3 widen the deviation of a binomial about √(2·3).
        let deviation = (5000 * 0.1 * 0.9 * 6).squareRoot()
        #expect(abs(Double(counters.lost) - 500) < 4 * deviation, "\(counters)")
        #expect(pair.link.counters(.down).lost == 0)
    }

    @Test func theQueueOfASlowLinkDrops() throws {
        let pair = try Pair("slow=1/0,queue=50")
        defer { pair.lab.close() }
        let received = try DatagramFlood(from: pair.client, to: pair.server, address: pair.address)
            .run(count: 1000)
        let counters = pair.link.counters(.up)
        #expect(counters.queueDropped > 800)
        // 50 ms of 1 Mbit/s are 44 frames of 142 bytes; some more pass while those leave.
        #expect((40...200).contains(received), "\(received) \(counters)")
    }

    @Test func downIsABlackHoleThatEnds() throws {
        let pair = try Pair("fibre=100/5")
        defer { pair.lab.close() }
        let ping = try PingRun.start(from: pair.client, to: pair.address, count: 100)
        usleep(300_000)
        pair.link.isDown = true
        usleep(300_000)
        #expect(try pair.client.ip("link show dev fibre").contains("LOWER_UP"))
        pair.link.isDown = false
        let run = ping.finish()
        #expect((280...500).contains(run.largestGap), "\(run.largestGap)")
        #expect(run.lost > 5 && run.replies.count > 20 && run.replies.last?.sequence == 100)
        #expect(pair.link.counters(.up).vanished > 5)
    }

    @Test func carrierIsSeenByTheKernelAndComesBack() throws {
        let pair = try Pair("fibre=100/1")
        defer { pair.lab.close() }
        try pair.link.setCarrier(false)
        #expect(try pair.client.ip("link show dev fibre").contains("NO-CARRIER"))
        #expect(try pair.server.ip("link show dev fibre").contains("LOWER_UP"))
        #expect(try PingRun.run(from: pair.server, to: "10.100.0.1", count: 3).loss == 1)
        try pair.link.setCarrier(true)
        #expect(try pair.client.ip("link show dev fibre").contains("LOWER_UP"))
        #expect(try PingRun.run(from: pair.client, to: pair.address, count: 5).loss == 0)
    }

    @Test func anUnpluggedInterfaceIsGoneAndComesBack() throws {
        let pair = try Pair("fibre=100/1")
        defer { pair.lab.close() }
        pair.link.unplug(.client)
        #expect(!pair.client.hasInterface("fibre"))
        try pair.link.plug(.client)
        #expect(try PingRun.run(from: pair.client, to: pair.address, count: 5).loss == 0)
        try pair.client.ip("link del dev fibre")  // as a daemon under test could do
        #expect(try PingRun.run(from: pair.server, to: "10.100.0.1", count: 2).loss == 1)
        try pair.link.plug(.client)
        #expect(try PingRun.run(from: pair.client, to: pair.address, count: 5).loss == 0)
    }

    @Test func copiesArriveTwice() throws {
        let pair = try Pair("fibre=100/1,up.dup=100%")
        defer { pair.lab.close() }
        #expect(try PingRun.run(from: pair.client, to: pair.address, count: 10).duplicates >= 9)
    }

    @Test func twoClientsMayNameTheirLinksAlike() throws {
        let lab = try Lab(seed: 1)
        defer { lab.close() }
        let server = try lab.namespace("server")
        let first = try lab.link(LinkSpec("a=10/1"), from: lab.namespace("one"), to: server)
        let second = try lab.link(LinkSpec("a=10/1"), from: lab.namespace("two"), to: server)
        #expect(first.interface(.server) == "a" && second.interface(.server) == "a1")
        #expect(try PingRun.run(from: lab.namespace("two"), to: "10.101.0.2", count: 3).loss == 0)
        #expect(throws: LabError.badInterfaceName("a", namespace: "one")) {
            try lab.link(LinkSpec("a=10/1"), from: lab.namespace("one"), to: server)
        }
    }

    @Test func aVethPairCarriesAtOnce() throws {
        let lab = try Lab(seed: 1)
        defer { lab.close() }
        let (one, two) = (try lab.namespace("one"), try lab.namespace("two"))
        let pair = try lab.veth("wire", from: one, to: two)
        let run = try PingRun.run(from: one, to: pair.addresses.ipv6(.server), count: 5)
        #expect(run.loss == 0)
        #expect(try #require(run.medianRTT) < 2)
    }

    @Test func framesBeyondTheMemoryAreDropped() throws {
        let lab = try Lab(seed: 1, memory: 100 * FrameSlab.stride)
        defer { lab.close() }
        let (client, server) = (try lab.namespace("client"), try lab.namespace("server"))
        let link = try lab.link(LinkSpec("far=inf/500"), from: client, to: server)
        let flood = try DatagramFlood(from: client, to: server, address: link.addresses.ipv4(.server))
        let received = try flood.run(count: 1000, settle: 700_000)
        #expect((90...200).contains(received))
        #expect(link.counters(.up).queueDropped > 700)
    }
}
