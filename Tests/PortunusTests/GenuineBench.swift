import Foundation
import Portunus
import Runtime
import Settings
import TestSupport
import Testing

@testable import Control

/// A control plane that behaves like Portunus 3.1.0, and a real service plane whose tunnel is loopback:
/// 127.0.0.1 is the server, 127.0.0.2 a client's host.
final class GenuineBench {
    let directory = TemporaryDirectory()
    let server: Server
    let plane: ServicePlane
    let host = EchoHost()
    private let certificate: Certificate
    private var client: ControlPlane?

    init() async throws {
        certificate = try Certificate("plane", in: directory)
        server = try await Server.controlPlane(certificate, isGenuine: true)
        let text = """
            [tunnel]
            role = "server"
            address = ["127.0.0.1/8"]
            private_key_file = "key"
            [listen]
            addresses = ["0.0.0.0:5000"]
            """
        let configuration = try Configuration(text: text, file: "bondd.toml", keys: .leave)
        guard case .server(let role) = configuration.role else { fatalError("no server") }
        plane = try ServicePlane(
            store: Store(directory: directory.path), tunnel: configuration.tunnel, server: role,
            socket: directory.path + "/none", log: Log(level: .error, fileDescriptor: -1))
        TCP.detach { [plane] in plane.run(every: 0.05) }
    }

    deinit {
        client?.stop()
        plane.stop()
        usleep(200_000)
        for file in ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm"] {
            unlink("\(directory.path)/\(file)")
        }
    }

    var bundle: Portunus.Bundle {
        Portunus.Bundle(
            clientName: "edge", clientID: "client-1", endpoint: "127.0.0.1:\(server.port)",
            pin: certificate.pin.lowercased(), token: "token")
    }

    /// Connects, as after an outage.
    func connect() async throws {
        plane.begin(with: bundle)
        let sessions = server.events("session").count
        let client = ControlPlane(
            bundle: bundle, keeper: plane, log: Log(level: .error, fileDescriptor: -1), version: "9.9.9",
            timing: Bench.timing, after: client)
        self.client = client
        client.start()
        try await eventually("a session") { self.server.events("session").count > sessions }
    }

    /// Ends the session; rules continue without one.
    func disconnect() async throws {
        let closed = server.events("closed").count
        client?.stop()
        try await eventually("the end of the session") { self.server.events("closed").count > closed }
    }

    /// Starts another session than the current one.
    func session(after command: String) async throws {
        let sessions = server.events("session").count
        try await server.tell(command)
        try await eventually("another session") { self.server.events("session").count > sessions }
    }

    /// Creates a rule, and waits until it is active; returns its number.
    func create(_ port: UInt16, owner: String = "_superadmin") async throws -> Int {
        let created = server.events("created").count
        try await server.tell(
            "create",
            [
                "rule": [
                    "listen_port": Int(port), "target_host": EchoHost.address, "target_port": Int(host.port),
                    "owner_id": owner,
                ]
            ])
        let number = Int(try #require(server.events("created").dropFirst(created).first?.number("rule")))
        for _ in 0..<500 {
            if try await state(of: number) != "pending" { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        return number
    }

    /// The state of a rule in the control plane.
    func state(of number: Int) async throws -> String? {
        try await server.tell("states")
        return (server.events("states").last?.values["states"] as? [String: String])?["\(number)"]
    }

    /// The bytes that the control plane has counted for a rule.
    func total(of number: Int) -> Double {
        server.events("usage").last { $0.number("rule") == Double(number) }?.number("total") ?? 0
    }

    func quota(_ owner: String, _ bytes: Int, begins: Int = 0) async throws {
        try await server.tell(
            "quota", ["owner": owner, "monthly": bytes, "begins": begins, "ends": 4_000_000_000])
    }

    func eventually(_ what: String, _ condition: () -> Bool) async throws {
        for _ in 0..<2000 {
            if condition() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw Server.Missing(description: "no \(what) among \(server.events.suffix(20).map(\.values))")
    }

    /// Long enough for a session to have named its rules, or to have been asked for them.
    func grace() async throws { try await Task.sleep(for: .milliseconds(2000)) }
}
