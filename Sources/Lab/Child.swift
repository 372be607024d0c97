import CLinux
import FoundationEssentials
import Glibc
import Synchronization

/// A program started by the lab. Every wait has a timeout; a child that is released, or whose parent dies, is
/// killed.
///
/// By default it leads its own process group: signals go to the whole group, and any members left when the
/// child has ended are killed. After a SIGKILL of the parent only the child itself is sure to die, not the
/// processes it started.
public final class Child: Sendable {
    /// The source of a child's stdin.
    public enum Input: Sendable {
        /// Empty: end of file at once.
        case none
        /// This text.
        case text(String)
        /// The caller's own stdin.
        case inherited
    }

    /// The destination of a child's stdout and stderr.
    public enum Output: Sendable {
        /// Into memory, for `output` and `errors`.
        case captured
        /// The caller's own stdout and stderr.
        case inherited
    }

    private enum State {
        case running
        case ended(ExitStatus, cpuSeconds: Double, peakMemory: Int)
    }

    /// The process ID.
    public let pid: Int32
    /// The program and its arguments, for messages.
    public let command: String
    private let pidfd: Int32
    private let isGroup: Bool
    private let state = Mutex(State.running)
    private let outputFile: MemoryFile?
    private let errorFile: MemoryFile?

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - arguments: the program, looked up in PATH, /usr/sbin and /sbin, and its arguments.
    ///   - namespace: where it runs; nil means the caller's own network.
    ///   - environment: variables to set in addition to the caller's environment.
    ///   - ownGroup: whether it leads a process group; false for programs that use the terminal.
    /// Throws `missingProgram`, `system` or `closed`.
    public init(
        _ arguments: [String], in namespace: Namespace? = nil, environment: [String: String] = [:],
        input: Input = .none, output: Output = .captured, ownGroup: Bool = true
    ) throws(LabError) {
        let path = try Self.find(arguments[0])
        command = arguments.joined(separator: " ")
        isGroup = ownGroup
        let inputFile: MemoryFile? =
            switch input {
            case .none: try MemoryFile()
            case .text(let text): try MemoryFile(text)
            case .inherited: nil
            }
        outputFile = if case .captured = output { try MemoryFile() } else { nil }
        errorFile = if case .captured = output { try MemoryFile() } else { nil }
        let variables = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        let descriptors = (inputFile?.fd ?? 0, outputFile?.fd ?? 1, errorFile?.fd ?? 2)
        let network = try namespace?.descriptor() ?? -1
        let started = Mutex<Int32>(0)
        try Spawner.shared.perform {
            let pid = Self.withCStrings(arguments) { argv in
                Self.withCStrings(variables.map { "\($0)=\($1)" }) { envp in
                    lab_spawn(
                        network, path, argv, envp, descriptors.0, descriptors.1, descriptors.2,
                        ownGroup ? 1 : 0)
                }
            }
            started.withLock { $0 = pid }
        }
        withExtendedLifetime(inputFile) {}
        pid = started.withLock { $0 }
        guard pid > 0 else { throw .system(call: "starting \(arguments[0])", errno: -pid) }
        pidfd = lab_pidfd_open(pid)
        guard pidfd >= 0 else {
            Glibc.kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            throw .system(call: "pidfd_open", errno: -pidfd)
        }
        namespace?.adopt(self)
    }

    deinit {
        kill()
        close(pidfd)
    }

    /// Runs a program to completion and returns its output. Throws `failed` if it does not return 0, and
    /// `deadline` (after killing it) if it takes longer than `seconds`.
    @discardableResult public static func run(
        _ arguments: [String], in namespace: Namespace? = nil, input: Input = .none, seconds: Double = 10
    ) throws(LabError) -> String {
        let child = try Child(arguments, in: namespace, input: input)
        let status = try child.wait(seconds: seconds)
        guard status.isSuccess else {
            throw .failed(command: child.command, status: status, errors: child.errors)
        }
        return child.output
    }

    /// Its output on stdout so far.
    public var output: String { outputFile?.text ?? "" }
    /// Its output on stderr so far.
    public var errors: String { errorFile?.text ?? "" }
    /// Whether it is still running.
    public var isRunning: Bool { status == nil }

    /// How it ended; nil while it is running.
    public var status: ExitStatus? {
        state.withLock { state in
            if case .ended(let status, _, _) = reap(&state, waiting: false) { status } else { nil }
        }
    }

    /// CPU seconds, user and system, of it and the children it waited for; nil while it is running.
    public var cpuSeconds: Double? {
        state.withLock { state in
            if case .ended(_, let seconds, _) = reap(&state, waiting: false) { seconds } else { nil }
        }
    }

    /// Its peak resident memory in bytes; nil while it is running.
    public var peakMemory: Int? {
        state.withLock { state in
            if case .ended(_, _, let bytes) = reap(&state, waiting: false) { bytes } else { nil }
        }
    }

    /// Waits for it to end. Throws `deadline`, after killing it, if that takes longer than `seconds`.
    @discardableResult public func wait(seconds: Double) throws(LabError) -> ExitStatus {
        if ends(within: seconds), let status { return status }
        kill()
        throw .deadline(waitingFor: "the end of '\(command)'", seconds: seconds)
    }

    /// Waits until stdout or stderr contains `text`. Throws `deadline` after `seconds`, `failed` if it ended
    /// without it.
    public func waitForOutput(_ text: String, seconds: Double) throws(LabError) {
        for _ in 0..<max(Int(seconds * 200), 1) {
            let ended = status
            if output.contains(text) || errors.contains(text) { return }
            if let ended { throw .failed(command: command, status: ended, errors: errors) }
            usleep(5000)
        }
        throw .deadline(waitingFor: "'\(text)' from '\(command)'", seconds: seconds)
    }

    /// Sends a signal; does nothing once it has ended.
    public func signal(_ number: Int32) {
        state.withLock { state in
            // Not reaped yet, so the ID is still its own.
            if case .running = reap(&state, waiting: false) { Glibc.kill(isGroup ? -pid : pid, number) }
        }
    }

    /// Asks it to end (SIGTERM), and kills it if it has not ended after `seconds`.
    @discardableResult public func stop(within seconds: Double = 2) -> ExitStatus {
        signal(SIGTERM)
        if ends(within: seconds), let status { return status }
        return kill()
    }

    /// Kills it (SIGKILL) together with its group.
    @discardableResult public func kill() -> ExitStatus {
        signal(SIGKILL)
        return state.withLock { state in
            guard case .ended(let status, _, _) = reap(&state, waiting: true) else {
                return .signalled(SIGKILL)
            }
            return status
        }
    }

    private func ends(within seconds: Double) -> Bool {
        var event = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        return poll(&event, 1, Int32(min(max(seconds, 0) * 1000, 1e9))) > 0
    }

    /// Records that it ended, if it did.
    private func reap(_ state: inout State, waiting: Bool) -> State {
        guard case .running = state else { return state }
        var word: Int32 = 0
        var usage = rusage()
        var ended = siginfo_t()
        // Until the child is reaped, the group's ID cannot be reused.
        let peek = WEXITED | WNOWAIT | (waiting ? 0 : WNOHANG)
        guard waitid(P_PID, id_t(pid), &ended, peek) == 0, ended.si_signo == SIGCHLD else { return state }
        if isGroup { Glibc.kill(-pid, SIGKILL) }
        if wait4(pid, &word, waiting ? 0 : WNOHANG, &usage) == pid {
            let cpu =
                Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
                + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
            state = .ended(ExitStatus(word: word), cpuSeconds: cpu, peakMemory: usage.ru_maxrss * 1024)
        }
        return state
    }

    /// The path of a program. Users' PATHs often lack the directories that contain `ip`.
    private static func find(_ program: String) throws(LabError) -> String {
        if program.contains("/") { return program }
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin") + ":/usr/sbin:/sbin"
        for directory in path.split(separator: ":") where access("\(directory)/\(program)", X_OK) == 0 {
            return "\(directory)/\(program)"
        }
        throw .missingProgram(program)
    }

    /// Calls `body` with a null-terminated array of C strings.
    private static func withCStrings<R>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        let copies = strings.map { strdup($0) } + [nil]
        defer { for copy in copies { free(copy) } }
        return copies.withUnsafeBufferPointer { body($0.baseAddress!) }
    }
}
