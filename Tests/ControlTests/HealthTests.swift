import ControlProtocol
import Lab
import Packet
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Control

/// The health endpoint over real sockets, with a fake bondd behind it.
@Suite struct HealthTests {
    let directory = TemporaryDirectory()
    let bondd: FakeBondd
    let port: UInt16

    init() throws {
        bondd = try FakeBondd(path: directory.path + "/bondd.sock")
        port = Wire.freePort()
    }

    /// Starts bondd-control as on a client, where it has no other tasks.
    func serve(token: String = "") throws -> Child {
        let key = Samples.server.base64
        directory.file(
            "bondd.toml",
            """
            [tunnel]
            role = "client"
            private_key_file = "nowhere"
            [server]
            public_key = "\(key)"
            endpoints = ["203.0.113.7:5000"]
            [[path]]
            interface = "eth0"
            [health]
            listen = "127.0.0.1:\(port)"
            \(token)
            """)
        let child = try Child([
            Program.path, "run", "--config", directory.path + "/bondd.toml", "--socket", bondd.path,
            "--as-root",
        ])
        try child.waitForOutput("serving health", seconds: 20)
        return child
    }

    func get(_ path: String, _ more: String = "", method: String = "GET") throws -> String {
        let wire = try #require(Wire(port))
        wire.say("\(method) \(path) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\(more)\r\n")
        return wire.hear()
    }

    @Test func pagesSayHowItIs() throws {
        defer { bondd.stop() }
        let child = try serve()
        defer { child.kill() }
        #expect(try get("/healthz").hasPrefix("HTTP/1.1 200"))
        #expect(try get("/healthz").hasSuffix("{\"reasons\":[],\"status\":\"ok\"}\n"))
        #expect(try get("/readyz").hasPrefix("HTTP/1.1 200"))
        bondd.with { $0.status.problems = ["the firewall drops it"] }
        #expect(
            eventually {
                (try? get("/readyz"))?.hasSuffix(
                    "{\"reasons\":[\"the firewall drops it\"],\"status\":\"failing\"}\n")
                    == true
            })
        #expect(try get("/readyz").hasPrefix("HTTP/1.1 503"))
        let status = try get("/status")
        let body = try #require(status.split(separator: "\r\n\r\n").last)
        #expect(try Line.decode(Status.self, from: Array(body.utf8)).version == "0.1.0")
        #expect(try get("/metrics").contains("text/plain; version=0.0.4"))
        #expect(try get("/metrics?x=1").contains("bondd_up 1\n"))
        #expect(try get("/healthz", method: "HEAD").hasSuffix("\r\n\r\n"))
        #expect(try get("/nothing").hasPrefix("HTTP/1.1 404"))
        #expect(try get("/healthz", method: "POST").hasPrefix("HTTP/1.1 405"))
    }

    @Test func aBonddThatHangsIsNotAlive() throws {
        defer { bondd.stop() }
        let child = try serve()
        defer { child.kill() }
        bondd.with { $0.isSilent = true }
        let begun = ContinuousClock.now
        let answer = try get("/healthz")
        #expect(answer.hasPrefix("HTTP/1.1 503") && answer.contains("did not answer"))
        #expect(.now - begun < .seconds(3))
    }

    @Test func aClientIsReadyWithAPathThatIsUp() {
        bondd.stop()
        var status = MetricsTests.status
        (status.role, status.problems) = ("client", nil)
        func ready() -> Bool { Health.ready(.init(status: status, reason: "", number: 1)).isGood }
        #expect(ready())
        status.sessions[0].state = "connecting"
        #expect(!ready())
        status.sessions[0].state = "up"
        for index in status.sessions[0].paths.indices { status.sessions[0].paths[index].state = "down" }
        #expect(!ready())
        status.sessions = []
        #expect(!ready())
        status.role = "server"
        #expect(ready())
    }

    @Test func withATokenItIsNeeded() throws {
        defer { bondd.stop() }
        directory.file("token", "abcdefghijklmnop0123\n", mode: 0o640)
        let child = try serve(token: "token_file = \"token\"")
        defer { child.kill() }
        #expect(try get("/healthz").hasPrefix("HTTP/1.1 401"))
        #expect(
            try get("/healthz", "Authorization: Bearer abcdefghijklmnop0124\r\n").hasPrefix("HTTP/1.1 401"))
        #expect(
            try get("/healthz", "Authorization: Bearer abcdefghijklmnop0123x\r\n").hasPrefix("HTTP/1.1 401"))
        #expect(
            try get("/healthz", "Authorization: Basic abcdefghijklmnop0123\r\n").hasPrefix("HTTP/1.1 401"))
        #expect(
            try get("/healthz", "Authorization: Bearer abcdefghijklmnop0123\r\n").hasPrefix("HTTP/1.1 200"))
        #expect(
            try get("/healthz", "authorization: bearer abcdefghijklmnop0123\r\n").hasPrefix("HTTP/1.1 200"))
    }

    @Test func tokenFilesAreChecked() throws {
        bondd.stop()
        directory.file("open", "abcdefghijklmnop0123\n", mode: 0o644)
        directory.file("short", "abc\n")
        directory.file("two", "abcdefghijklmnop0123\nabcdefghijklmnop0123\n")
        for file in ["open", "short", "two", "missing"] {
            #expect(throws: ControlError.self, "\(file)") { try Token(reading: directory.path + "/" + file) }
        }
    }

    /// Regardless of the number of requests, bondd is queried four times a second.
    @Test func aCrowdDoesNotReachBondd() throws {
        defer { bondd.stop() }
        let child = try serve()
        defer { child.kill() }
        // These send nothing, or half a request, and never finish.
        let stalled = (0..<200).compactMap { number -> Wire? in
            let wire = Wire(port)
            if number % 2 == 0 { wire?.say("GET /healthz HTTP/1.1\r\nHost: ") }
            return wire
        }
        #expect(stalled.count == 200)
        let before = bondd.with { $0.statusQuestions }
        let begun = ContinuousClock.now
        let wire = try #require(Wire(port))
        var good = 0
        for _ in 0..<1000 {
            wire.say("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
            if wire.hearAnswer() { good += 1 }
        }
        let seconds = (ContinuousClock.now - begun) / .seconds(1)
        let asked = bondd.with { $0.statusQuestions } - before
        #expect(good == 1000)
        #expect(Double(asked) <= seconds * 4 + 2, "\(asked) questions in \(seconds) s")
        // They are closed after their timeout.
        #expect(eventually(15) { stalled.allSatisfy { $0.isClosed } })
    }

    @Test func whoSendsTooMuchIsClosed() throws {
        defer { bondd.stop() }
        let child = try serve()
        defer { child.kill() }
        let long = try get("/healthz", "X: \(String(repeating: "x", count: 20_000))\r\n")
        #expect(!long.hasPrefix("HTTP/1.1 200"))
        let many = try get("/healthz", String(repeating: "X: x\r\n", count: 100))
        #expect(!many.hasPrefix("HTTP/1.1 200"))
        let wire = try #require(Wire(port))
        wire.say("POST /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nxxxxxxxxxxxxxxx")
        _ = wire.hear()
        #expect(eventually { wire.isClosed })
        #expect(try get("/healthz").hasPrefix("HTTP/1.1 200"))
    }
}
