import Glibc

/// Runs a program of the host to completion.
enum Command {
    /// Timeout in milliseconds after which the program is killed.
    static let patience = 3000

    /// Runs a program found in PATH and discards its output.
    /// - Returns: nil if it succeeded, otherwise the problem.
    static func run(_ words: [String], input: String = "") -> String? {
        run(words, input: input, output: nil)
    }

    /// The output of a program found in PATH, up to the capacity of a pipe (64 KiB); nil if the program fails.
    static func output(_ words: [String]) -> String? {
        guard let pipe = makePipe() else { return nil }
        defer { close(pipe.from) }
        let problem = run(words, input: "", output: pipe.to)
        close(pipe.to)
        guard problem == nil else { return nil }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        _ = fcntl(pipe.from, F_SETFL, O_NONBLOCK)
        let count = read(pipe.from, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    private static func makePipe() -> (from: Int32, to: Int32)? {
        var pipe: [Int32] = [-1, -1]
        guard Glibc.pipe(&pipe) == 0 else { return nil }
        for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (pipe[0], pipe[1])
    }

    private static func run(_ words: [String], input: String, output: Int32?) -> String? {
        guard let pipe = makePipe() else { return String(cString: strerror(errno)) }
        // Shorter than a pipe's capacity, so the write does not block.
        _ = write(pipe.to, input, input.utf8.count)
        close(pipe.to)
        defer { close(pipe.from) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, pipe.from, 0)
        if let output {
            posix_spawn_file_actions_adddup2(&actions, output, 1)
        } else {
            posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        // bondd blocks the signals it reads from a descriptor and ignores SIGPIPE; the child must do neither.
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

    /// The path of a program in PATH with symbolic links resolved; nil if there is none.
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
