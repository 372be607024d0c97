import Foundation
import Portunus
import Rules
import Runtime
import Settings
import TestSupport

/// A control plane, its client and the client's keeper, on one bench; the client uses short timeouts.
final class Bench {
    let directory = TemporaryDirectory()
    let certificate: Certificate
    let keeper: Recorder
    private(set) var server: Server
    private var clients: [ControlPlane] = []

    /// Short timeouts for tests.
    static var timing: Timing {
        var timing = Timing()
        timing.grace = .milliseconds(600)
        timing.question = .milliseconds(250)
        timing.arrival = .milliseconds(500)
        timing.firstReport = .milliseconds(50)
        timing.report = .milliseconds(200)
        timing.welcome = .seconds(10)
        timing.firstPause = .milliseconds(50)
        timing.longestPause = .milliseconds(400)
        return timing
    }

    init(_ keeper: Recorder = Recorder(), host: String = "127.0.0.1", isExpired: Bool = false, calm: Int = 1)
        async throws
    {
        self.keeper = keeper
        certificate = try Certificate("plane", in: directory, isExpired: isExpired)
        server = try await Server.controlPlane(certificate, host: host, calm: calm)
    }

    /// Connects a client; with the bench's keeper unless another is given.
    @discardableResult
    func connect(
        host: String = "127.0.0.1", token: String = "token", keeper: Recorder? = nil, pin: String? = nil,
        timing: Timing = timing
    ) -> ControlPlane {
        let bundle = Bundle(
            clientName: "edge", clientID: "client-1", endpoint: "\(host):\(server.port)",
            pin: pin ?? certificate.pin,
            token: token)
        let client = ControlPlane(
            bundle: bundle, keeper: keeper ?? self.keeper, log: Log(level: .error, fileDescriptor: -1),
            version: "9.9.9", timing: timing)
        clients.append(client)
        client.start()
        return client
    }

    /// Kills the control plane and starts another one on its port.
    func restart(_ certificate: Certificate? = nil) async throws {
        server.kill()
        server = try await Server.controlPlane(certificate ?? self.certificate, port: server.port)
    }

    /// A push in the server's form.
    static func push(_ request: String, _ rule: [String: Any]) -> [String: Any] {
        ["rule_update": ["request_id": request, "action": "PUSH", "rule": rule]]
    }

    /// A rule in the server's form.
    static func rule(_ number: Int, _ more: [String: Any] = [:]) -> [String: Any] {
        [
            "rule_id": number, "listen_port": 8000 + number, "target_host": "10.77.0.2", "target_port": 80,
            "protocol": "TCP", "owner_id": "alice",
        ].merging(more) { $1 }
    }

    /// The expected translation of that rule.
    static func carried(_ number: Int) -> Rule {
        Rule(
            id: .pushed(UInt64(number)), transport: .tcp,
            ports: UInt16(8000 + number)...UInt16(8000 + number),
            targets: [RuleTarget(host: "10.77.0.2", port: 80)], owner: "alice")
    }

    /// Waits until the keeper's calls satisfy the condition.
    func wait(seconds: Double = 20, until fits: (Recorder) -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while !fits(keeper) {
            guard ContinuousClock.now < end else { throw Server.Missing(description: "\(keeper.calls)") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    deinit { for client in clients { client.stop() } }
}
