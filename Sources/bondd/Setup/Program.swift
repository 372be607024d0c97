import Glibc

/// Another program of this host.
struct Program {
    let path: String

    /// The program at `path`; `nil` if it is not executable.
    init?(path: String) {
        guard access(path, X_OK) == 0 else { return nil }
        self.path = path
    }

    /// The program of that name next to this one, or the one that the shell would find.
    init?(named name: String) {
        var directories: [String] = []
        if let own = Self.own, let slash = own.lastIndex(of: "/") {
            directories.append(String(own[..<slash]))
        }
        var search = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        if let path = getenv("PATH") { search = String(cString: path) }
        directories += search.split(separator: ":").map(String.init)
        let candidates: [String] = directories.map { "\($0)/\(name)" }
        guard let found = candidates.first(where: { access($0, X_OK) == 0 }) else { return nil }
        path = found
    }

    /// Path of this program.
    static var own: String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        return count > 0
            ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }

    /// POSIX_SPAWN_SETSID, which glibc's header hides from Swift.
    private static var setsid: Int32 { 0x80 }

    /// Runs it to its end; it shares this program's output.
    /// - Returns: its exit code, or 128 plus the number of the signal that ended it; 127 if it could not be
    ///   run.
    func run(_ arguments: [String]) -> Int32 {
        guard let process = spawn(arguments, nil) else { return 127 }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 { if errno != EINTR { return 127 } }
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    }

    /// Starts it in a new session, so that it keeps running after this program ends.
    /// - Parameter log: the file for its output, created with mode 0600 and appended to.
    /// - Returns: its process ID; `nil` if it could not be started.
    func start(_ arguments: [String], log: String) -> pid_t? { spawn(arguments, log) }

    private func spawn(_ arguments: [String], _ log: String?) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        // This program ignores SIGPIPE; others don't expect that.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        var flags = Int32(POSIX_SPAWN_SETSIGDEF)
        if let log {
            flags |= Self.setsid
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var list = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for text in list { free(text) } }
        var process = pid_t()
        return posix_spawn(&process, path, &actions, &attributes, &list, environ) == 0 ? process : nil
    }
}
