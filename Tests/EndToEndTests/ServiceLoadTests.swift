import Glibc
import Lab
import Testing

extension EndToEndTests {
    /// Rules carried in user space, by a separate program: many callers, slow ones, and limits.
    @Suite("Service load") struct ServiceLoad {
        private let course: ServiceCourse

        init() throws {
            Descriptors.allow(65_536)
            course = try ServiceCourse()
        }

        /// Runs `body` with TCP port 7 and `rules`, all leading to an echo service.
        private func withEcho(_ rules: [String] = [], _ body: (Child) throws -> Void) throws {
            defer { course.close() }
            let program = try Forwarder.bondd.start(on: course, ports: [7], rules: rules)
            let echo = try EchoServer(in: course.host, port: 7)
            defer { echo.stop() }
            try body(program)
            #expect(program.isRunning)
        }

        private func callers(_ port: UInt16, udp: Bool = false, saying: [UInt8] = [65]) throws -> Callers {
            try Callers(in: course.user, to: course.gatewayAddress, port: port, udp: udp, saying: saying)
        }

        @Test func tenThousandCallersTakeLessThan150Megabytes() throws {
            try withEcho(["udp:7=HOST:7,flows=20000"]) { program in
                // With fewer descriptors available, fewer connections are used.
                let connections = min(10_000, Descriptors.connections)
                let calls = try callers(7)
                #expect(calls.hold(connections) == connections)
                #expect(calls.callAgain() == connections)
                let memory = try #require(program.residentMemory)
                measured("memory with \(connections) TCP connections", Double(memory) / 1e6, "MB")
                #expect(memory <= 150_000_000)
                calls.hangUp()
                let flows = try callers(7, udp: true)
                #expect(flows.hold(10_000) == 10_000)
                #expect(flows.callAgain() == 10_000)
                let after = try #require(program.residentMemory)
                measured("memory with 10000 UDP flows", Double(after) / 1e6, "MB")
                #expect(after <= 150_000_000)
            }
        }

        @Test func slowTalkersDelayNobodyElse() throws {
            let hello = Greeting.hello("host.example")
            try withEcho(["tcp:8=HOST:7,name=host.example"]) { _ in
                let named = try callers(8, saying: hello)
                let plain = try callers(7)
                let before = (try delay(named), try delay(plain))
                let talkers = try SlowTalkers(
                    in: course.user, to: course.gatewayAddress, port: 8, count: 2000, saying: hello)
                defer { talkers.stop() }
                try wait(seconds: 10, "2000 slow talkers") {
                    talkers.calls.begun >= 2000 && talkers.calls.open >= 900
                }
                let during = (try delay(named), try delay(plain))
                measured("slow talkers, a call with a name", during.0 - before.0, "ms more")
                measured("slow talkers, a call without", during.1 - before.1, "ms more")
                #expect(during.0 - before.0 <= 50 && during.1 - before.1 <= 50)
                #expect(talkers.calls.open >= 100, "they still talk")
            }
        }

        /// The 90th percentile of call times in ms.
        private func delay(_ callers: Callers) throws -> Double {
            let delays = (0..<100).map { _ in
                usleep(5000)
                return callers.call()
            }
            return delays.sorted()[89]
        }

        @Test func aCapOnBytesIsKeptWithinFivePercent() throws {
            let rules = ["tcp:5202=HOST:5202,out=1048576", "tcp:5203=HOST:5203,in=1048576"]
            try withEcho(rules) { _ in
                let flows = try [UInt16(5202), 5203].map { port in
                    var plan = TCPFlow.Plan(to: course.gatewayAddress, seconds: 10)
                    // A second's worth may pass at once, and buffers fill.
                    (plan.omit, plan.port, plan.reverse) = (5, port, port == 5202)
                    return try TCPFlow.start(from: course.user, to: course.host, plan)
                }
                for (flow, way) in zip(flows, ["out", "in"]) {
                    let share = try flow.finish().megabits * 1e6 / 8 / 1_048_576
                    measured("1 MiB/s \(way)", share, "MiB/s")
                    #expect(abs(share - 1) <= 0.05)
                }
            }
        }

        @Test func aCapOnConnectionsIsExact() throws {
            try withEcho(["tcp:9=HOST:7,connections=100"]) { _ in
                let calls = try callers(9)
                #expect(calls.hold(300) == 100)
                #expect(calls.callAgain() == 100, "who is in stays in")
                calls.hangUp()
                var held = 0
                try wait(seconds: 5, "room for others") {
                    held += calls.hold(100 - held)
                    return held == 100
                }
                #expect(calls.hold(50) == 0)
            }
        }

        @Test func aCapOnNewConnectionsIsKept() throws {
            try withEcho(["tcp:9=HOST:7,rate=50"]) { _ in
                let (rate, failed) = try callers(9).rate(parallel: 20, seconds: 3)
                measured("50 connections a second", rate, "a second")
                // 50 at once and 50 in each second.
                #expect(failed > 100 && rate > 50 && rate < 71)
            }
        }

        @Test func aQuotaEndsWhatIsOpenAndWhatComes() throws {
            // 32 calls of 16 KiB each way.
            try withEcho(["tcp:9=HOST:7,quota=1048576"]) { _ in
                let calls = try callers(9, saying: Array(repeating: 65, count: 16_384))
                #expect(calls.hold(1) == 1)
                var answered = 1
                while answered < 100 && calls.call() < .infinity { answered += 1 }
                #expect(answered == 32)
                #expect(calls.callAgain(seconds: 2) == 0, "what was open is not")
            }
        }
    }
}
