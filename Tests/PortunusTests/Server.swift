import Foundation
import Portunus
import Synchronization
import Testing

/// The python3 with grpcio; provided by `make test`.
let python = ProcessInfo.processInfo.environment["CONFORMANCE"].flatMap {
    FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil
}

/// A running program of the folder Conformance: its output is kept, and can be waited for.
final class Server: Sendable {
    /// A message that it printed, as JSON.
    struct Event: @unchecked Sendable {
        let values: [String: Any]

        var kind: String { values["event"] as? String ?? "" }
        subscript(_ key: String) -> String? { values[key] as? String }
        func number(_ key: String) -> Double? { (values[key] as? NSNumber)?.doubleValue }
    }

    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    private struct Running: @unchecked Sendable {
        let process: Process
        let input: FileHandle
    }

    private let running: Running
    private let lines: Lines
    /// The port it listens on.
    let port: Int

    init(_ program: String, _ arguments: [String]) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python!)
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Conformance")
        process.arguments = ["-B", folder.appendingPathComponent(program).path] + arguments
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let lines = Lines()
        output.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil } else { lines.take(data) }
        }
        running = Running(process: process, input: input.fileHandleForWriting)
        self.lines = lines
        port = Int(try await lines.wait(20) { $0.kind == "listening" }.number("port")!)
    }

    /// The control plane itself.
    /// - Parameters:
    ///   - isGenuine: whether it behaves like Portunus 3.1.0.
    ///   - calm: the minimum time between two PINGs that it demands, in ms; 1 means none.
    static func controlPlane(
        _ certificate: Certificate, port: Int = 0, host: String = "127.0.0.1", token: String = "token",
        isGenuine: Bool = false, calm: Int = 1
    ) async throws -> Server {
        try await Server(
            "server.py",
            [
                "--certificate", certificate.file, "--key", certificate.key, "--port", "\(port)", "--host",
                host,
                "--token", token,
            ] + ["--calm", "\(calm)"] + (isGenuine ? ["--genuine"] : []))
    }

    /// All messages so far.
    var events: [Event] { lines.events }
    /// All messages of one kind.
    func events(_ kind: String) -> [Event] { events.filter { $0.kind == kind } }
    /// Its complaints about the client.
    var faults: [String] { events("fault").compactMap { $0["reason"] } }

    /// Waits for a message, or returns one already printed.
    /// - Throws: if there is none within `seconds`.
    @discardableResult
    func wait(
        _ kind: String, seconds: Double = 20, where fits: @escaping (Event) -> Bool = { _ in true }
    ) async throws -> Event {
        do {
            return try await lines.wait(seconds) { $0.kind == kind && fits($0) }
        } catch {
            throw Missing(description: "no \(kind) among \(events.suffix(30).map(\.values))")
        }
    }

    /// Sends it a command, and waits until it is done.
    func tell(_ command: String, _ values: [String: Any] = [:]) async throws {
        let before = events("done").count
        let line = try JSONSerialization.data(withJSONObject: values.merging(["do": command]) { $1 })
        running.input.write(line + Data("\n".utf8))
        for _ in 0..<2000 where events("done").count == before { try await Task.sleep(for: .milliseconds(5)) }
    }

    /// Kills it.
    func kill() {
        Foundation.kill(running.process.processIdentifier, SIGKILL)
        running.process.waitUntilExit()
    }

    deinit { kill() }
}

/// Lines of JSON as they arrive.
final class Lines: Sendable {
    private let state = Mutex((rest: Data(), events: [Server.Event]()))

    var events: [Server.Event] { state.withLock { $0.events } }

    func take(_ data: Data) {
        state.withLock { state in
            state.rest += data
            while let end = state.rest.firstIndex(of: 10) {
                let line = state.rest[..<end]
                state.rest = state.rest[(end + 1)...]
                if let values = try? JSONSerialization.jsonObject(with: line) as? [String: Any] {
                    state.events.append(Server.Event(values: values))
                }
            }
        }
    }

    func wait(_ seconds: Double, _ fits: (Server.Event) -> Bool) async throws -> Server.Event {
        let end = ContinuousClock.now + .seconds(seconds)
        while true {
            if let event = events.first(where: fits) { return event }
            guard ContinuousClock.now < end else { throw Server.Missing(description: "nothing came") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
