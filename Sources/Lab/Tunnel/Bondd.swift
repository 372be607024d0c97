import Glibc
import Synchronization

/// One bondd in a namespace, with a directory for its key, configuration and control socket. It can be started,
/// stopped and killed any number of times.
public final class Bondd: Sendable {
    private struct State {
        var child: Child?
        var earlierLog = ""
    }

    /// The name used in messages.
    public let name: String
    /// The namespace in which it runs.
    public let namespace: Namespace
    /// Its files.
    public let scratch: Scratch
    /// Its public key in base64.
    public let publicKey: String
    private let program: Program
    private let state = Mutex(State())

    /// A daemon with a fresh key, not started yet. Throws `failed` or `system`.
    public init(_ name: String, _ program: Program, in namespace: Namespace) throws(LabError) {
        self.name = name
        self.program = program
        self.namespace = namespace
        scratch = try Scratch()
        let key = try Child.run([program.path, "keygen", "--out", "\(scratch.path)/key"])
        publicKey = String(key.prefix { $0 != "\n" })
    }

    deinit { kill() }

    /// The path of its configuration.
    public var file: String { "\(scratch.path)/bondd.toml" }
    /// The path of its control socket.
    public var socket: String { "\(scratch.path)/sock" }

    /// The directory of its persistent state.
    public var stateDirectory: String { "\(scratch.path)/state" }

    /// Writes its configuration. Throws `system`.
    public func configure(_ text: String) throws(LabError) { try scratch.write(text, to: "bondd.toml") }

    /// Starts the daemon. Throws like `Child.init`.
    public func start() throws(LabError) {
        kill()
        let child = try namespace.spawn(
            [
                program.path, "run", "--config", file, "--socket", socket, "--state-dir", stateDirectory,
                "--log-level", "debug",
            ])
        state.withLock { $0.child = child }
    }

    /// The daemon's process, nil before the first start.
    public var child: Child? { state.withLock { $0.child } }
    /// Whether it is running.
    public var isRunning: Bool { child?.isRunning ?? false }

    /// Sends it a signal.
    public func signal(_ number: Int32) { child?.signal(number) }

    /// Stops it as an operator does (SIGTERM), and returns how it ended; nil if it was not running.
    @discardableResult public func stop(within seconds: Double = 3) -> ExitStatus? {
        end { $0.stop(within: seconds) }
    }

    /// Kills it (SIGKILL).
    @discardableResult public func kill() -> ExitStatus? { end { $0.kill() } }

    private func end(_ how: (Child) -> ExitStatus) -> ExitStatus? {
        guard let child else { return nil }
        let status = how(child)
        state.withLock { state in
            state.earlierLog += child.errors
            state.child = nil
        }
        return status
    }

    /// Its whole log since its creation.
    public var log: String { state.withLock { $0.earlierLog + ($0.child?.errors ?? "") } }

    /// Runs one of bondd's commands with this daemon's socket and returns the ended process.
    /// Throws `deadline`, or like `Child.init`.
    public func command(_ arguments: [String], seconds: Double = 5) throws(LabError) -> Child {
        let child = try namespace.spawn([program.path] + arguments + ["--socket", socket])
        try child.wait(seconds: seconds)
        return child
    }

    /// Changes a value of the running daemon. Throws `failed` with its refusal.
    public func set(_ key: String, _ value: String) throws(LabError) { _ = try checked(["set", key, value]) }

    /// The output of `bondd status --json`. Throws `failed`.
    public func statusText() throws(LabError) -> String { try checked(["status", "--json"]) }

    /// Its status. Throws `failed` or `unreadable`.
    public func status() throws(LabError) -> TunnelStatus { try TunnelStatus(statusText()) }

    private func checked(_ arguments: [String]) throws(LabError) -> String {
        let child = try command(arguments)
        guard let status = child.status, status.isSuccess else {
            throw .failed(
                command: child.command, status: child.status ?? .exited(0), errors: child.errors)
        }
        return child.output
    }

    /// Waits until its status satisfies the condition, and returns it. Throws `deadline` after `seconds`, and
    /// `failed` with its log if it ended.
    @discardableResult public func wait(
        for what: String, seconds: Double = 5, until isWanted: (TunnelStatus) -> Bool
    ) throws(LabError) -> TunnelStatus {
        let start = Clock.monotonic
        while true {
            if let status = try? status(), isWanted(status) { return status }
            if let child, let ended = child.status {
                throw .failed(command: child.command, status: ended, errors: child.errors)
            }
            guard Clock.monotonic - start < seconds else { break }
            usleep(10_000)
        }
        let state = (try? statusText()) ?? "no status"
        throw .deadline(
            waitingFor: "\(what) (bondd '\(name)' says: \(state) and logged: \(log.suffix(1500)))",
            seconds: seconds)
    }
}
