import Foundation
import Portunus
import Rules
import TestSupport
import Testing

/// The beginning and end of sessions, against the conformance server.
@Suite(
    .serialized,
    .enabled(if: python != nil, "CONFORMANCE names no python3 with grpcio (scripts/fetch-grpcio)"))
struct ConnectionTests {
    /// By name with the name in the ClientHello, by address without; HTTP/2 is requested.
    @Test(arguments: [("localhost", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("[::1]", "::1")])
    func endpointsAreNamesOrAddresses(host: String, listens: String) async throws {
        let bench = try await Bench(host: listens)
        bench.connect(host: host)
        try await bench.wait { $0.states.contains(.connected) }
        let connection = try await bench.server.wait("connection")
        #expect(connection["sni"] == (host == "localhost" ? "localhost" : nil))
        #expect((connection.values["alpn"] as? [String])?.contains("h2") == true)
    }

    /// A certificate is accepted if it is the pinned one, however old.
    @Test func expiredCertificateIsGood() async throws {
        let bench = try await Bench(isExpired: true)
        bench.connect(pin: bench.certificate.pin.lowercased())
        try await bench.wait { $0.states.contains(.connected) }
    }

    /// A server with another certificate, and one with the certificate but without its key, receive neither
    /// token nor code.
    @Test(arguments: [false, true]) func impostorsAreToldNothing(hasCertificate: Bool) async throws {
        let directory = TemporaryDirectory()
        let genuine = try Certificate("plane", in: directory)
        let other = try Certificate("other", in: directory)
        let key = try hasCertificate ? genuine.forgedKey(from: other, in: directory) : other.key
        let impostor = try await Server("impostor.py", [hasCertificate ? genuine.file : other.file, key])
        let keeper = Recorder()
        let bundle = Bundle(
            clientName: "edge", endpoint: "127.0.0.1:\(impostor.port)", pin: genuine.pin, token: "token")
        let client = ControlPlane(
            bundle: bundle, keeper: keeper, log: .init(fileDescriptor: -1), timing: Bench.timing)
        client.start()
        defer { client.stop() }
        try await impostor.wait("handshake")
        for _ in 0..<400 where keeper.states.count < 2 { try await Task.sleep(for: .milliseconds(10)) }
        let uri = try EnrolmentURI(
            "portunus://127.0.0.1:\(impostor.port)/enroll?pin=sha256:\(genuine.pin)&code=\(String(repeating: "c", count: 43))"
        )
        await #expect(throws: PortunusError.self) { try await Enrolment.redeem(uri) }
        if hasCertificate {
            #expect(!keeper.states.contains(.wrongCertificate) && !keeper.states.contains(.connected))
        } else {
            #expect(keeper.states == [.connecting(nil), .wrongCertificate])
            await #expect(throws: PortunusError.wrongCertificate(endpoint: "\(uri.endpoint)")) {
                try await Enrolment.redeem(uri)
            }
        }
        try await Task.sleep(for: .milliseconds(500))
        #expect(impostor.events("secret").isEmpty)
        #expect(impostor.events("handshake").allSatisfy { $0.values["done"] as? Bool == false })
        #expect(impostor.events("handshake").count > 1)
    }

    /// Whatever ends a session, except an invalid token, another one begins.
    @Test func sessionsBeginAgain() async throws {
        let bench = try await Bench()
        bench.connect()
        try await bench.server.wait("session") { $0.number("number") == 1 }
        try await bench.server.tell("end")
        try await bench.server.wait("session") { $0.number("number") == 2 }
        for (index, code) in ["UNAVAILABLE", "PERMISSION_DENIED", "INTERNAL", "UNIMPLEMENTED"].enumerated() {
            try await bench.wait { $0.states.last == .connected }
            try await bench.server.tell("abort", ["code": code, "message": "for a test"])
            try await bench.server.wait("session") { $0.number("number") == Double(3 + index) }
        }
        try await bench.wait { $0.states.last == .connected }
        try await bench.server.tell("cut")
        try await bench.server.wait("session") { $0.number("number") == 7 }
        #expect(bench.keeper.states.contains(.connecting("for a test")))
        #expect(bench.server.faults.isEmpty)
    }

    /// A newer session of the same client ends the older one, which keeps trying.
    @Test func supersededSessionsBeginAgain() async throws {
        let bench = try await Bench()
        bench.connect()
        try await bench.wait { $0.states.contains(.connected) }
        let other = Recorder()
        bench.connect(keeper: other)
        for keeper in [bench.keeper, other] {
            for _ in 0..<1000 where keeper.states.filter({ $0 == .connected }).count < 2 {
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(keeper.states.filter { $0 == .connected }.count >= 2)
            #expect(!keeper.states.contains { if case .unauthorized = $0 { true } else { false } })
        }
    }

    /// A token revoked during a session, or unknown, ends all attempts; enrolling again creates a new token, once.
    @Test func revokedTokensAreNotTriedAgain() async throws {
        let bench = try await Bench()
        bench.connect()
        try await bench.wait { $0.states.contains(.connected) }
        try await bench.server.tell("tokens", ["tokens": [:] as [String: String]])
        try await bench.wait { $0.states.last == .unauthorized("token_revoked") }
        let late = Recorder()
        bench.connect(keeper: late)
        for _ in 0..<400 where late.states.count < 2 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(late.states == [.connecting(nil), .unauthorized("token_not_found")])
        let connections = bench.server.events("connection").count
        try await Task.sleep(for: .seconds(1))
        #expect(bench.server.events("connection").count == connections)

        let code = String(repeating: "k", count: 43)
        try await bench.server.tell(
            "code",
            [
                "code": code,
                "bundle": [
                    "version": 1, "client_name": "edge", "server_endpoint": "127.0.0.1:\(bench.server.port)",
                    "server_cert_sha256": bench.certificate.pin, "token": "new-token",
                    "client_id": "client-1",
                ],
            ])
        let uri = try EnrolmentURI(
            "portunus://127.0.0.1:\(bench.server.port)/enroll?pin=sha256:\(bench.certificate.pin)&code=\(code)&later=1"
        )
        let bundle = try await Enrolment.redeem(uri)
        #expect(
            bundle
                == Bundle(
                    clientName: "edge", clientID: "client-1", endpoint: "127.0.0.1:\(bench.server.port)",
                    pin: bench.certificate.pin.lowercased(), token: "new-token"))
        await #expect(throws: PortunusError.codeUsed) { try await Enrolment.redeem(uri) }
        let again = Recorder()
        bench.connect(token: bundle.token, keeper: again)
        for _ in 0..<400 where !again.states.contains(.connected) {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(again.states.contains(.connected))
        #expect(bench.server.events("enrol").allSatisfy { $0.values["bearer"] as? Bool == false })
    }

    /// The control plane's objection to a code is reported as a sentence.
    @Test(arguments: [
        ("UNAUTHENTICATED", "enrollment_invalid", PortunusError.codeUnknown),
        ("UNAUTHENTICATED", "enrollment_expired", .codeExpired),
        ("UNAUTHENTICATED", "enrollment_used", .codeUsed),
        ("FAILED_PRECONDITION", "no client", .refused("no client")),
        ("INTERNAL", "enrollment_store_error", .notStored),
    ])
    func enrolmentErrorsAreSentences(code: String, message: String, expected: PortunusError) async throws {
        let bench = try await Bench()
        let text = String(repeating: "e", count: 43)
        try await bench.server.tell("code", ["code": text, "error": code, "message": message])
        let uri = try EnrolmentURI(
            "portunus://127.0.0.1:\(bench.server.port)/enroll?pin=sha256:\(bench.certificate.pin)&code=\(text)"
        )
        await #expect(throws: expected) { try await Enrolment.redeem(uri) }
        bench.server.kill()
        do {
            _ = try await Enrolment.redeem(uri)
            Issue.record("enrolled with nobody")
        } catch {
            guard case .unreachable = error else { throw error }
            #expect(!"\(error)".contains(text))
        }
    }

    /// A half-open connection, on which nothing arrives any more, is detected by its silence.
    @Test func halfOpenConnectionIsFound() async throws {
        let bench = try await Bench()
        var timing = Bench.timing
        (timing.ping, timing.pong) = (.milliseconds(500), .milliseconds(500))
        bench.connect(timing: timing)
        try await bench.wait { $0.states.contains(.connected) }
        // While there are signs of life, it stays.
        try await Task.sleep(for: .seconds(2))
        #expect(bench.server.events("session").count == 1)
        try await bench.server.tell("freeze")
        let start = ContinuousClock.now
        try await bench.server.wait("session") { $0.number("number") == 2 }
        let took = start.duration(to: .now)
        print("half-open connection found after \(took)")
        let usual = Timing()
        #expect(took < .seconds(5) && usual.ping + usual.pong < .seconds(25))
    }

    /// A server that ends connections with too frequent PINGs gets fewer of them.
    @Test func pingsBecomeRarer() async throws {
        let bench = try await Bench(calm: 1000)
        var timing = Bench.timing
        (timing.ping, timing.pong) = (.milliseconds(300), .milliseconds(300))
        bench.connect(timing: timing)
        try await bench.wait { $0.states.contains(.connected) }
        // 300 ms, 600 ms and 1.2 s.
        try await bench.server.wait("session") { $0.number("number") == 3 }
        try await Task.sleep(for: .seconds(5))
        #expect(bench.server.events("session").count == 3)
        #expect(bench.keeper.states.last == .connected)
    }

    /// A server that accepts and never sends Welcome is abandoned.
    @Test func silentServerIsLeft() async throws {
        let bench = try await Bench()
        try await bench.server.tell("silent", ["on": true])
        var timing = Bench.timing
        timing.welcome = .milliseconds(700)
        bench.connect(timing: timing)
        try await bench.server.wait("session") { $0.number("number") == 2 }
        try await bench.server.tell("silent", ["on": false])
        try await bench.wait { $0.states.contains(.connected) }
    }

    /// The rules of a session are those it has named some time after its Welcome; a session that ended before
    /// has no effect.
    @Test func rulesAreReconciled() async throws {
        let bench = try await Bench()
        let all = (1...4).map { Bench.push("p\($0)", Bench.rule($0)) }
        try await bench.server.tell("replay", ["messages": all])
        bench.connect()
        try await bench.server.wait("status") { $0["request"] == "p4" }
        try await bench.server.tell(
            "send",
            ["message": ["rule_update": ["request_id": "r", "action": "REMOVE", "rule": ["rule_id": 4]]]])
        try await bench.server.tell("send", ["message": Bench.push("later", Bench.rule(5))])
        try await bench.wait { !$0.kept.isEmpty }
        #expect(bench.keeper.kept == [[1, 2, 3, 5]])

        // Gone and back, too briefly to have an effect.
        try await bench.restart()
        try await bench.server.wait("session")
        try await bench.restart()
        try await bench.server.tell("replay", ["messages": Array(all.prefix(2))])
        try await bench.server.tell("cut")
        try await bench.server.wait("status") { $0["request"] == "p2" }
        try await bench.wait { $0.kept.count > 1 }
        #expect(bench.keeper.kept == [[1, 2, 3, 5], [1, 2]])
        #expect(!bench.keeper.overlapped)
    }

    /// A replay may take longer than the time after which rules not named are removed.
    @Test func aLongReplayIsWaitedFor() async throws {
        let bench = try await Bench()
        bench.connect()
        try await bench.wait { $0.states.contains(.connected) }
        for number in 1...6 {
            try await bench.server.tell("send", ["message": Bench.push("p\(number)", Bench.rule(number))])
            try await Task.sleep(for: .milliseconds(200))
        }
        #expect(bench.keeper.kept.isEmpty)
        try await bench.wait { !$0.kept.isEmpty }
        #expect(bench.keeper.kept == [Set(1...6)])
    }

    /// An impostor in its place is detected, and the genuine one is found again.
    @Test func impostorIsOutlasted() async throws {
        let bench = try await Bench()
        bench.connect()
        try await bench.wait { $0.states.last == .connected }
        let other = try Certificate("other", in: bench.directory)
        try await bench.restart(other)
        try await bench.wait { $0.states.last == .wrongCertificate }
        #expect(bench.server.events("session").isEmpty && bench.server.events("rejected").isEmpty)
        try await bench.restart()
        try await bench.wait { $0.states.last == .connected }
        #expect(bench.keeper.kept.isEmpty || bench.keeper.kept == [[]])
    }

    /// After `stop` the session is over, and nothing is called or attempted any more.
    @Test func stoppingEndsIt() async throws {
        let bench = try await Bench()
        let client = bench.connect()
        try await bench.wait { $0.states.contains(.connected) }
        client.stop()
        try await bench.server.wait("closed")
        let calls = bench.keeper.calls.count
        try await Task.sleep(for: .milliseconds(700))
        #expect(bench.keeper.calls.count == calls)
        #expect(bench.server.events("connection").count == 1)
    }
}
