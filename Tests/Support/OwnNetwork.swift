import CLinux
import Glibc

/// A network namespace for one test: the thread is moved into a new one and back. The namespace has no name, so it and
/// everything in it disappear with the last descriptor, whatever happens.
public enum OwnNetwork {
    /// Whether this process may create one; tests are skipped otherwise.
    public static let isPermitted: Bool = {
        let home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        defer { close(home) }
        guard home >= 0, clinux_new_network_namespace() == 0 else { return false }
        precondition(clinux_enter_network_namespace(home) == 0)
        return true
    }()

    /// Runs `body`, which must not suspend, in a new namespace where only lo is up.
    public static func run<Result>(_ body: () throws -> Result) rethrows -> Result {
        let home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        precondition(home >= 0 && clinux_new_network_namespace() == 0)
        // A thread that cannot return would affect every later test.
        defer {
            precondition(clinux_enter_network_namespace(home) == 0)
            close(home)
        }
        ip("link set lo up")
        return try body()
    }

    /// Runs iproute2 in the thread's namespace.
    public static func ip(_ arguments: String) { run("ip", arguments) }

    /// Runs a command in the thread's namespace; a child is in its parent thread's.
    public static func run(_ command: String, _ arguments: String) {
        let words = [command] + arguments.split(separator: " ").map(String.init)
        var argv = words.map { strdup($0) } + [nil]
        defer { for word in argv { free(word) } }
        var child = pid_t()
        precondition(posix_spawnp(&child, command, nil, nil, &argv, environ) == 0, "there is no \(command)")
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        precondition(status == 0, "\(command) \(arguments) failed")
    }

    /// The output of a shell command in the thread's namespace.
    public static func output(_ command: String) -> String {
        guard let pipe = popen(command, "re") else { return "" }
        defer { pclose(pipe) }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&chunk, 1, chunk.count, pipe), count > 0 { text += chunk[..<count] }
        return String(decoding: text, as: UTF8.self)
    }
}
