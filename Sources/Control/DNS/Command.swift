import Glibc

/// A program of the host's, run to its end.
enum Command {
    /// How long one may take, in milliseconds, before it is killed.
    static let patience = 3000

    /// Runs a program that lies in PATH, its output thrown away.
    /// - Returns: nil when it ended well, otherwise what went wrong.
    static func run(_ words: [String], input: String = "") -> String? {
        var pipe: [Int32] = [-1, -1]
        guard Glibc.pipe(&pipe) == 0 else { return String(cString: strerror(errno)) }
        for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // Shorter than a pipe is long, so nothing waits.
        _ = write(pipe[1], input, input.utf8.count)
        close(pipe[1])
        defer { close(pipe[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, pipe[0], 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        // bondd blocks the signals that it reads from a descriptor, and ignores SIGPIPE.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var argv = words.map { strdup($0) } + [nil]
        defer { for word in argv { free(word) } }
        var child = pid_t()
        let code = posix_spawnp(&child, words[0], &actions, &attributes, &argv, environ)
        guard code == 0 else { return "\(words[0]): \(String(cString: strerror(code)))" }
        return wait(child, words[0])
    }

    /// Where a program is in PATH, links followed; nil when there is none.
    static func find(_ program: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/sbin:/usr/bin:/sbin:/bin"
        for directory in path.split(separator: ":") {
            guard access("\(directory)/\(program)", X_OK) == 0,
                let real = realpath("\(directory)/\(program)", nil)
            else { continue }
            defer { free(real) }
            return String(cString: real)
        }
        return nil
    }

    private static func wait(_ child: pid_t, _ name: String) -> String? {
        var status: Int32 = 0
        for _ in 0..<patience / 10 {
            let ended = waitpid(child, &status, WNOHANG)
            if ended == child { return status == 0 ? nil : "\(name) failed" }
            if ended < 0 && errno != EINTR { return "\(name) was lost" }
            usleep(10_000)
        }
        kill(child, SIGKILL)
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return "\(name) did not end within \(patience / 1000) seconds and was killed"
    }
}
