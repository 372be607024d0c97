import Glibc
import Packet
import Runtime
import Testing

@testable import Daemon

/// A log for tests that do not read it.
let silentLog = Log(level: .error, fileDescriptor: open("/dev/null", O_WRONLY | O_CLOEXEC))

/// When recurring work is due, in virtual time.
@Suite struct PaceTests {
    private func at(_ seconds: Int64) -> Instant { .zero + .seconds(seconds) }

    @Test func repairsBackOffWhileSomethingUndoesThem() {
        var pace = RepairPace()
        #expect(pace.earliest == .zero, "the first repair is made at once")
        var (now, waits): (Instant, [Double]) = (at(100), [])
        for _ in 0..<9 {
            pace.repaired(now: now)
            waits.append((pace.earliest - now).seconds)
            now = pace.earliest
        }
        #expect(waits == [1, 2, 4, 8, 16, 32, 60, 60, 60])
        now = now + .seconds(61)
        pace.repaired(now: now)
        #expect((pace.earliest - now).seconds == 1, "after a quiet minute the waits are short again")
    }

    @Test func theTunnelIsComparedAtOnceAndThenAtAPace() {
        var watch = TunnelWatch()
        #expect(!watch.isDue(lacksFamily: false, now: at(5)))
        #expect(watch.noteChange(now: at(5)) == nil)
        watch.begin(now: at(5))
        // Changes that follow closely are repaired together.
        #expect(watch.noteChange(now: at(5) + .milliseconds(10)) == at(5) + .milliseconds(50))
        #expect(!watch.isDue(lacksFamily: false, now: at(5) + .milliseconds(49)))
        #expect(watch.isDue(lacksFamily: false, now: at(5) + .milliseconds(50)))
        watch.begin(now: at(6))
        #expect(!watch.isDue(lacksFamily: false, now: at(60)))
        // IPv6 comes without an event.
        #expect(!watch.isDue(lacksFamily: true, now: at(15)) && watch.isDue(lacksFamily: true, now: at(16)))
        watch.end("no", silentLog)
        #expect(watch.problems == ["no"] && watch.isDue(lacksFamily: false, now: at(16)))
        watch.end(nil, silentLog)
        #expect(watch.problems == [] && !watch.isDue(lacksFamily: false, now: at(60)))
    }

    @Test func nameServersAreAskedLessAndLessOftenWhileNoneAnswers() {
        var pace = NameServerPace()
        #expect(!pace.isDue(now: at(1_000_000)), "nothing to ask before the first assignment")
        pace.hurry()
        #expect(pace.isDue(now: at(1)))
        func pause(_ decision: NameServerChoice.Decision, changed: Bool = false) -> Int64? {
            pace.begin()
            pace.end(decision, changed: changed, now: at(100))
            return (1...400).first { pace.isDue(now: at(100 + $0)) }
        }
        let silent = NameServerChoice.Decision(source: .host)
        #expect((0..<8).map { _ in pause(silent) } == [5, 10, 20, 40, 80, 160, 300, 300])
        #expect(pause(.init(source: .offer, isAnswered: true)) == 300)
        let outside: [IPAddress: UInt16] = [IPAddress("192.0.2.53")!: 1]
        #expect(pause(.init(source: .host, outside: outside, isAnswered: true), changed: true) == 2)
        #expect(pause(.init(source: .host, outside: outside, isAnswered: true)) == 120)
        #expect(pause(silent) == 5, "an answer resets the pauses")
    }

    /// Reading many routes takes its time: the pause grows with it, up to a bound.
    @Test func routesThatTakeLongToReadAreReadLessOften() {
        var routes = HostRoutes()
        #expect(routes.isStale && routes.begin(now: at(1)) == nil && !routes.isStale)
        routes.end(after: .milliseconds(1))
        #expect(routes.begin(now: at(1) + .milliseconds(20)) == at(1) + .milliseconds(50))
        #expect(routes.isStale, "what was not read is still to be read")
        #expect(routes.begin(now: at(1) + .milliseconds(50)) == nil)
        routes.end(after: .milliseconds(100))
        #expect(routes.begin(now: at(1) + .milliseconds(400)) == at(1) + .milliseconds(550))
        #expect(routes.begin(now: at(2)) == nil)
        routes.end(after: .seconds(60))
        #expect(routes.begin(now: at(3)) == at(7))
    }

    @Test func aRefusalIsNewsOnceAndExpires() {
        var refusal = ServerRefusal()
        #expect(refusal.note("no", now: at(1)) && !refusal.note("no", now: at(100)))
        refusal.expire(now: at(249))
        #expect(refusal.problem == "no")
        refusal.expire(now: at(251))
        #expect(refusal.problem == nil && refusal.note("no", now: at(252)))
        refusal.end()
        #expect(refusal.problem == nil)
    }

    @Test func aNoticeIsLoggedOnceForAsLongAsItHolds() {
        var pipe: [Int32] = [-1, -1]
        #expect(Glibc.pipe(&pipe) == 0)
        defer { for end in pipe { close(end) } }
        let log = Log(format: .text, fileDescriptor: pipe[1])
        func lines() -> Int {
            var bytes = [UInt8](repeating: 0, count: 4096)
            _ = fcntl(pipe[0], F_SETFL, O_NONBLOCK)
            let count = read(pipe[0], &bytes, bytes.count)
            return bytes.prefix(max(0, count)).count { $0 == 10 }
        }
        var notices = Notices()
        notices.replace(with: ["a", "b"], log)
        #expect(lines() == 2)
        notices.replace(with: ["b", "c"], log)
        #expect(lines() == 1 && notices.list == ["b", "c"])
        notices.replace(with: String?.none, log)
        #expect(lines() == 0 && notices.list.isEmpty)
        notices.replace(with: "b", log)
        #expect(lines() == 1)
    }
}
