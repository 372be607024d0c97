import ControlProtocol
import Dispatch
import Glibc
import Portunus
import Rules
import Settings
import Synchronization
import TestSupport

@testable import Control

/// A service plane with a real relay and a real state, whose tunnel is loopback: 127.0.0.1 is the server,
/// 127.0.0.2 a client's host.
final class ServiceBench {
    let directory = TemporaryDirectory()
    let bondd: FakeBondd
    private(set) var plane: ServicePlane
    private var generation = 0
    private let ended = DispatchSemaphore(value: 0)

    static let bundle = Bundle(
        clientName: "server", clientID: "1", endpoint: "192.0.2.1:7443",
        pin: String(repeating: "ab", count: 32), token: "secret")

    init(_ rules: String = "") throws {
        bondd = try FakeBondd(path: directory.path + "/bondd.sock")
        plane = try Self.plane(directory.path, rules, bondd.path)
        run()
    }

    deinit {
        plane.stop()
        ended.wait()
        bondd.stop()
        for number in 0...generation {
            for file in ["state.sqlite", "state.sqlite-wal", "state.sqlite-shm"] {
                unlink("\(directory.path)/state\(number)/\(file)")
            }
        }
    }

    /// Starts its `run` on another thread.
    private func run() {
        Thread.detach { [plane, ended] in
            plane.run(every: 0.05)
            ended.signal()
        }
    }

    /// Opens the state as it is on disk now, in another bondd-control: the old one's final writes are not in it.
    func restart(_ rules: String = "") throws {
        generation += 1
        let state = "\(directory.path)/state\(generation)"
        mkdir(state, 0o700)
        for file in ["state.sqlite", "state.sqlite-wal"]
        where access(plane.store.directory + "/" + file, F_OK) == 0 {
            try StateFiles.copy(plane.store.directory + "/" + file, to: state + "/" + file)
        }
        plane.stop()
        ended.wait()
        plane = try Self.plane(state, rules, bondd.path)
        run()
    }

    func reload(_ rules: String) throws {
        let (tunnel, server) = try Self.read(rules)
        plane.reload(tunnel, server)
    }

    private static func plane(_ directory: String, _ rules: String, _ socket: String) throws -> ServicePlane {
        let (tunnel, server) = try read(rules)
        return try ServicePlane(
            store: Store(directory: directory), tunnel: tunnel, server: server,
            socket: socket, log: Log(level: .error, fileDescriptor: -1),
            patience: .milliseconds(200))
    }

    private static func read(_ rules: String) throws -> (Configuration.Tunnel, Configuration.Server) {
        let configuration = try Configuration(
            text: Samples.text(["127.0.0.1/8"], extra: rules), file: "bondd.toml", keys: .leave)
        guard case .server(let server) = configuration.role else { fatalError("no server") }
        return (configuration.tunnel, server)
    }

    // MARK: Rules

    static func rule(_ name: String, _ port: UInt16, to target: Echo, _ more: String = "") -> String {
        """
        [[rule]]
        name = "\(name)"
        protocol = "tcp"
        listen_port = \(port)
        target = "\(target.address):\(target.port)"
        \(more)

        """
    }

    static func pushed(
        _ number: UInt64, _ port: UInt16, to target: Echo, limit: RateLimit = RateLimit(),
        owner: String? = nil
    ) -> Rule {
        Rule(
            id: .pushed(number), transport: .tcp, ports: port...port,
            targets: [RuleTarget(host: target.address, port: target.port)], limit: limit, owner: owner)
    }

    /// Pushes a rule and waits for the answer.
    func push(_ rule: Rule) -> RuleRefusal? {
        let answer = Answer()
        plane.push(rule) { answer.set($0) }
        return eventually { answer.isThere } ? answer.refusal : .unknownRuleID
    }

    /// The status of a rule in `bondd services`.
    func status(_ rule: String) -> ServiceStatus? { plane.status().0.first { $0.rule == rule } }

    /// The last service handed to bondd for a rule.
    func handed(_ rule: String) -> HandedService? {
        bondd.with { $0.carried.last?.first { $0.rule.hasPrefix(rule + "@") } }
    }

    /// Sets the kernel's counters for a rule's service.
    func count(_ rule: String, bytes: Int, open: Int) {
        guard let service = handed(rule) else { return }
        bondd.with { state in
            var port = ServicePortCounters(rule: service.rule, port: service.firstPort)
            (port.bytesIn, port.bytesOut, port.connections) = (bytes, bytes, open)
            state.counters.ports = [port]
        }
    }
}

/// An answer given on another thread.
final class Answer: Sendable {
    private let answer = Mutex<RuleRefusal??>(nil)

    func set(_ refusal: RuleRefusal?) { answer.withLock { $0 = .some(refusal) } }
    var isThere: Bool { answer.withLock { $0 != nil } }
    var refusal: RuleRefusal? { answer.withLock { $0 ?? nil } }
}
