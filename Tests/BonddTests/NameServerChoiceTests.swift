import Host
import Packet
import Testing

@testable import bondd

@Suite("The choice of name servers") struct NameServerChoiceTests {
    private let isp = IPAddress("100.64.53.53")!
    private let other = IPAddress("100.64.54.54")!
    private let router = IPAddress("192.168.1.1")!
    private let offered = IPAddress("10.0.0.2")!
    private let local = IPAddress("127.0.0.53")!
    private let paths: [UInt16: String] = [1: "up0", 2: "up1"]

    private func situation(_ host: [IPAddress], offer: [IPAddress] = []) -> NameServerChoice.Situation {
        var situation = NameServerChoice.Situation()
        situation.offer = offer
        situation.host.servers = host
        situation.uplinks = paths
        situation.fallback = [NameServerChoice.fallback[0]]
        situation.isFull = true
        return situation
    }

    /// Answers all queries of all rounds, with the given good and refusing servers.
    private func decide(
        _ choice: inout NameServerChoice, good: Swift.Set<NameServerProbe.Target>,
        refusing: Swift.Set<NameServerProbe.Target> = []
    ) -> NameServerChoice.Decision? {
        for _ in 0..<4 where choice.isOpen {
            let asked = Swift.Set(choice.questions.all)
            var answers = NameServerProbe.Answers()
            answers.good = good.intersection(asked)
            answers.refusing = refusing.intersection(asked)
            if let decision = choice.take(answers) { return decision }
        }
        return nil
    }

    @Test func theOfferIsTakenWhereItAnswers() {
        var choice = NameServerChoice()
        choice.begin(situation([router], offer: [offered, isp]))
        let decision = decide(&choice, good: [.init(offered), .init(router), .init(router, by: "up0")])
        #expect(decision == .init(source: .offer, servers: [offered], isAnswered: true))
        // While it keeps answering, no other server is queried.
        choice.begin(situation([router], offer: [offered]))
        #expect(choice.questions.all == [.init(offered)])
    }

    /// Field case 1: the resolver of one uplink is unreachable from the server, or refuses there.
    @Test func theHostsOwnAreAskedOverTheirUplinks() {
        for refusing in [[], [NameServerProbe.Target(isp)]] {
            var choice = NameServerChoice()
            choice.begin(situation([isp], offer: [offered]))
            let decision = decide(&choice, good: [.init(isp, by: "up1")], refusing: Swift.Set(refusing))
            #expect(
                decision == .init(source: .host, servers: [], outside: [isp: 2], isAnswered: true))
        }
    }

    /// Two uplinks, each with its own resolver; one dies, and comes back.
    @Test func whatAnswersNoMoreIsTakenOut() {
        var choice = NameServerChoice()
        choice.begin(situation([isp, other]))
        let both = decide(&choice, good: [.init(isp, by: "up0"), .init(other, by: "up1")])
        #expect(both == .init(source: .host, outside: [isp: 1, other: 2], isAnswered: true))
        var half = situation([isp, other])
        half.uplinks = [2: "up1"]
        choice.begin(half, isUrgent: true)
        #expect(!choice.questions.all.contains(.init(isp, by: "up0")))
        // It still answers along the routes, as there is a bondd rule for it.
        let one = decide(&choice, good: [.init(other), .init(other, by: "up1")])
        #expect(one == .init(source: .host, servers: [other], outside: [other: 2], isAnswered: true))
        choice.begin(situation([isp, other]), isUrgent: true)
        #expect(decide(&choice, good: [.init(isp, by: "up0"), .init(other, by: "up1")]) == both)
    }

    /// A home router answers from its cache although its line is dead.
    @Test func aRouterWhoseUplinkIsDeadIsNotBelieved() {
        var choice = NameServerChoice()
        var half = situation([router])
        half.uplinks = [2: "up1"]
        (half.direct, half.dead) = ([router: "up0"], ["up0"])
        choice.begin(half)
        let good: Swift.Set<NameServerProbe.Target> = [.init(router), .init(half.fallback[0])]
        #expect(
            decide(&choice, good: good) == .init(source: .fallback, servers: half.fallback, isAnswered: true))
    }

    @Test func aForwarderGetsAWayToItsServers() {
        var choice = NameServerChoice()
        var behind = situation([local])
        behind.host.upstream = [isp]
        choice.begin(behind)
        let first = decide(&choice, good: [.init(isp, by: "up0")])
        #expect(first == .init(source: .host, outside: [isp: 1], isAnswered: true))
        choice.begin(behind)
        let second = decide(&choice, good: [.init(local), .init(isp, by: "up0")])
        #expect(second == first)
        // One that does not answer even then is useless.
        choice.begin(behind)
        let third = decide(&choice, good: [.init(isp, by: "up0"), .init(behind.fallback[0])])
        #expect(third?.source == .fallback)
    }

    /// With a kill switch no server outside the tunnel may be queried, and `dns` in the file replaces all others.
    @Test func whatMayNotBeAskedIsNotAsked() {
        var choice = NameServerChoice()
        var locked = situation([isp])
        locked.mayLeave = false
        choice.begin(locked)
        #expect(choice.questions.all == [.init(isp)])
        #expect(decide(&choice, good: [.init(locked.fallback[0])])?.source == .fallback)
        var fixed = situation([isp], offer: [offered])
        fixed.file = [router]
        choice.begin(fixed)
        #expect(choice.questions.all == [.init(router)])
        #expect(decide(&choice, good: []) == .init(source: .file, servers: [router]))
        fixed.file = []
        choice.begin(fixed)
        #expect(!choice.isOpen)
    }

    @Test func withoutAnyAnswerTheBestIsKept() {
        var choice = NameServerChoice()
        choice.begin(situation([isp], offer: [offered]))
        let refused = decide(&choice, good: [], refusing: [.init(isp)])
        #expect(refused?.source == .host && refused?.isAnswered == false)
        choice.begin(situation([isp], offer: [offered]))
        #expect(decide(&choice, good: []) == .init(source: .offer, servers: [offered]))
    }

    /// With routes only for some networks, the host's own name servers are reached as before.
    @Test func aSplitTunnelLeavesTheHostsOwn() {
        var choice = NameServerChoice()
        var split = situation([isp], offer: [offered])
        split.isFull = false
        choice.begin(split)
        #expect(choice.questions.all == [.init(offered)])
        split.offer = []
        choice.begin(split)
        #expect(!choice.isOpen)
    }
}
