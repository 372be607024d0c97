import Foundation
import Glibc
import Lab
import Testing

/// The conformance server as a program on a host: a control plane, or an impostor with another certificate.
final class ControlPlaneServer {
    /// The python3 with grpcio, if any; provided by `make test`.
    static let python = ProcessInfo.processInfo.environment["CONFORMANCE"].flatMap {
        FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil
    }

    /// SHA-256 of its certificate.
    let pin: String
    let address: String
    private let namespace: Namespace
    private let scratch: Scratch
    private var child: Child?
    private var input: FileHandle?

    static let port = 7443

    /// Creates a certificate. The server runs after `start`.
    init(in namespace: Namespace, address: String) throws {
        self.namespace = namespace
        self.address = address
        scratch = try Scratch()
        try Child.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj",
            "/CN=plane", "-days", "30", "-keyout", "\(scratch.path)/key.pem", "-out",
            "\(scratch.path)/certificate.pem",
        ])
        let printed = try Child.run([
            "openssl", "x509", "-in", "\(scratch.path)/certificate.pem", "-noout", "-fingerprint", "-sha256",
        ])
        pin = String(printed.split(separator: "=").last!.filter(\.isHexDigit)).lowercased()
    }

    deinit { close() }

    func close() {
        kill()
        scratch.remove()
    }

    /// Starts it, or another run of it.
    /// - Parameter token: the only token that it accepts.
    func start(token: String = "token") throws {
        let fifo = "\(scratch.path)/commands"
        unlink(fifo)
        try #require(mkfifo(fifo, 0o600) == 0)
        let server = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../PortunusTests/Conformance/server.py").path
        child = try namespace.spawn([
            "sh", "-c",
            "exec '\(try #require(Self.python))' -B '\(server)' --certificate '\(scratch.path)/certificate.pem' --key '\(scratch.path)/key.pem' --host \(address) --port \(Self.port) --token \(token) <'\(fifo)'",
        ])
        // Read and write, so that it opens at once.
        input = FileHandle(fileDescriptor: open(fifo, O_RDWR | O_CLOEXEC), closeOnDealloc: true)
        try child?.waitForOutput("\"listening\"", seconds: 20)
    }

    /// Kills it.
    func kill() {
        child?.kill()
        child = nil
        input = nil
    }

    /// Sends it a command.
    func tell(_ command: String, _ values: [String: Any] = [:]) throws {
        let before = said("done").count
        let line = try JSONSerialization.data(withJSONObject: values.merging(["do": command]) { $1 })
        input?.write(line + Data("\n".utf8))
        try wait(seconds: 5, "\(command), done by the control plane") { said("done").count > before }
    }

    /// The messages of one kind printed by this run.
    func said(_ kind: String) -> [[String: Any]] {
        (child?.output ?? "").split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }.filter { $0["event"] as? String == kind }
    }

    /// An enrolment URI that can be used once, for a client with that token.
    func enrolmentURI(token: String) throws -> String {
        let code = String(repeating: "c", count: 43)
        let bundle: [String: Any] = [
            "version": 1, "client_name": "gateway", "client_id": "client-1",
            "server_endpoint": "\(address):\(Self.port)",
            "server_cert_sha256": pin, "token": token,
        ]
        try tell("code", ["code": code, "bundle": bundle])
        return "portunus://\(address):\(Self.port)/enroll?pin=sha256:\(pin)&code=\(code)"
    }

    /// A push, as expected by `replay` and `send`.
    static func push(
        _ number: Int, _ port: Int, to target: String, _ targetPort: Int, _ more: [String: Any] = [:]
    )
        -> [String: Any]
    {
        let rule: [String: Any] = [
            "rule_id": number, "listen_port": port, "protocol": "TCP", "target_host": target,
            "target_port": targetPort,
            "owner_id": "owner",
        ]
        return [
            "rule_update": [
                "request_id": "push-\(number)-\(Int.random(in: 0..<1_000_000))", "action": "PUSH",
                "rule": rule.merging(more) { $1 },
            ]
        ]
    }
}
