import Packet
import Settings
import Testing

@testable import Daemon

/// When the server's names are resolved, and which addresses are used.
@Suite struct ServerNamesTests {
    private let name = HostPort("vpn.example.org:5000")!
    private let address = HostPort("203.0.113.9:5000")!
    private let old = Endpoint("203.0.113.7:5000")!
    private let new = Endpoint("203.0.113.77:5000")!
    private let start = Instant(nanoseconds: 1_000_000_000)

    /// A name that has been resolved once.
    private func known() -> ServerNames {
        var names = ServerNames()
        let due = names.due([name, address], isOut: true, now: start)
        #expect(due == [name])
        names.asked(name, answers: 1, now: start)
        let problem = names.learn([old], of: name, problem: nil)
        #expect(problem == nil)
        return names
    }

    @Test func aNameThatWorksIsAskedOnce() {
        var names = known()
        for second in 1...600 {
            let due = names.due([name, address], isOut: false, now: start + .seconds(Int64(second)))
            #expect(due.isEmpty)
        }
        #expect(names.endpoints(of: name) == [old] && names.endpoints(of: address) == [address.endpoint!])
        // A reload asks again.
        names.hurry()
        let due = names.due([name], isOut: false, now: start + .seconds(700))
        #expect(due == [name])
    }

    /// Whenever during an outage the server moves, it is found within half a minute, without constant queries.
    @Test func anOutageAsksWithGrowingPauses() {
        var names = known()
        let before = names.due([name], isOut: false, now: start + .seconds(1))
        #expect(before.isEmpty)
        var asked: [Int64] = []
        for second in Int64(100)...3700 {
            let now = start + .seconds(second)
            guard names.due([name], isOut: true, now: now) == [name] else { continue }
            names.asked(name, answers: 1, now: now)
            asked.append(second)
        }
        let pauses = zip(asked, asked.dropFirst()).map { $1 - $0 }
        #expect(asked.first == 100 && pauses.first == 3)
        #expect(pauses.allSatisfy { $0 <= 60 } && pauses.last == 60)
        #expect(zip(asked, pauses).allSatisfy { $0.0 >= 680 || $0.1 <= 20 })
        #expect(asked.count < 100)
    }

    /// New addresses come first; old ones are removed once a new one has answered, and not before.
    @Test func addressesThatAreGoneAreKeptUntilANewOneAnswers() {
        var names = known()
        names.asked(name, answers: 2, now: start + .seconds(60))
        _ = names.learn([new], of: name, problem: nil)
        #expect(names.endpoints(of: name) == [new, old])
        let isSettledByOld = names.settle(on: [old])
        #expect(!isSettledByOld && names.endpoints(of: name) == [new, old])
        let isSettledByNew = names.settle(on: [new])
        #expect(isSettledByNew && names.endpoints(of: name) == [new])
    }

    /// The host's resolver and the uplinks are queried at once: their answers are combined, and one suffices.
    @Test func twoAnswersAddUp() {
        var names = ServerNames()
        names.asked(name, answers: 2, now: start)
        let first = names.learn([], of: name, problem: "no host knows it")
        let second = names.learn([old], of: name, problem: nil)
        #expect(first == nil && second == nil)
        #expect(names.endpoints(of: name) == [old] && names.problem(of: name) == nil)
        names.asked(name, answers: 2, now: start + .seconds(9))
        _ = names.learn([new], of: name, problem: nil)
        _ = names.learn([old], of: name, problem: nil)
        let isSettled = names.settle(on: [new])
        #expect(names.endpoints(of: name) == [new, old] && !isSettled)
    }

    /// A problem is logged once in each outage, and again after the name has been resolved in between.
    @Test func aProblemIsToldOnce() {
        var names = ServerNames()
        func fail(_ second: Int64) -> String? {
            names.asked(name, answers: 2, now: start + .seconds(second))
            let first = names.learn([], of: name, problem: "the first")
            #expect(first == nil)
            return names.learn([], of: name, problem: "the second")
        }
        #expect(fail(0) == "the first")
        for second in Int64(1)...30 { #expect(fail(second) == nil) }
        #expect(names.problem(of: name) == "the first")
        _ = names.learn([old], of: name, problem: nil)
        #expect(names.problem(of: name) == nil)
        #expect(fail(60) == "the first")
        // Nevertheless it has an address.
        #expect(names.problem(of: name) == nil && names.endpoints(of: name) == [old])
    }

    @Test func whatItKeepsIsBounded() {
        var names = known()
        for round in 0..<100 {
            names.asked(name, answers: 1, now: start + .seconds(Int64(round)))
            let many = (0..<50).map {
                Endpoint(address: IPAddress(v4: UInt32(0x0A00_0000 + round * 50 + $0)), port: 5000)
            }
            _ = names.learn(many, of: name, problem: nil)
            #expect(names.endpoints(of: name).count <= ServerNames.mostAddresses)
        }
    }

    /// 10 s, then pauses that grow by half, up to a minute; a path that works resets them.
    @Test func aSilentPathGetsAnotherPortNowAndThen() {
        var pace = SilencePace()
        var due: [Int64] = []
        for second in Int64(0)...300 where pace.isDue(now: start + .seconds(second)) { due.append(second) }
        #expect(due == [10, 25, 48, 82, 133, 193, 253])
        #expect(pace.silence(now: start + .seconds(300)) == .seconds(300) && !pace.isNone)
        pace.end()
        #expect(pace.isNone)
        let again = [400, 409, 410].map { pace.isDue(now: start + .seconds($0)) }
        #expect(again == [false, false, true])
    }
}
