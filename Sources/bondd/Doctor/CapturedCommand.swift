import Daemon
import Glibc
import Packet

/// A program of the host and its output, bounded in time and length.
struct CapturedCommand {
    let words: [String]
    /// In bytes; the rest is discarded.
    var limit = 1 << 20
    /// In milliseconds; after that, the program is killed.
    var patience: Int64 = 3000

    /// POSIX_SPAWN_SETSIGDEF and POSIX_SPAWN_SETSIGMASK as defined by glibc.
    private static var flags: Int16 { Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK) }

    /// Runs the program and waits for it to exit.
    /// - Returns: its output, stderr included, and exit code; `nil` if the program does not exist or took too
    ///   long.
    func run() -> (text: String, code: Int32)? {
        guard let name = words.first, let program = Program(named: name) else { return nil }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Self.flags)
        var list = ([program.path] + words.dropFirst()).map { strdup($0) } + [nil]
        defer { for text in list { free(text) } }
        var child = pid_t()
        let code = posix_spawn(&child, program.path, &actions, &attributes, &list, environ)
        close(ends[1])
        guard code == 0 else { return nil }
        let text = read(ends[0])
        if text == nil { kill(child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 { if errno != EINTR { return nil } }
        return text.map { ($0, status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F) }
    }

    /// Reads to the end of the stream; `nil` if it did not end in time.
    private func read(_ descriptor: Int32) -> String? {
        let end = Instant.now + Interval.milliseconds(patience)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            let left = Int64((end - Instant.now).milliseconds)
            var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard left > 0, poll(&watched, 1, Int32(left)) > 0 else { return nil }
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count].prefix(max(0, limit - bytes.count))
        }
    }
}
