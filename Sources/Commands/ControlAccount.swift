import Glibc
import Runtime
import Settings

/// The user that bondd-control runs as. Packages create it; otherwise the first start does.
package enum ControlAccount {
    /// The user's group, as created by the packages.
    private static let group = "bondd"

    /// Adds the user and its group with useradd or adduser, unless it exists.
    /// - Throws: `Failure` if neither succeeds.
    package static func make() throws -> Account {
        // Another program may have the user database locked.
        for attempt in 0..<5 {
            if let account = Account(named: Account.control) { return account }
            if attempt > 0 { usleep(300_000) }
            add(Account.control)
        }
        guard let account = Account(named: Account.control) else {
            throw Failure(
                "bondd-control does not run as root, and there is no user \(Account.control) for it; add it (useradd --system \(Account.control)), or name another with --user"
            )
        }
        return account
    }

    private static func add(_ name: String) {
        if let program = find("useradd") {
            // Fails if the group exists, which is fine.
            if let program = find("groupadd") { run([program, "--system", group]) }
            run([
                program, "--system", "--gid", group, "--no-create-home", "--home-dir",
                "/var/lib/bondd/control",
                "--shell", "/usr/sbin/nologin", name,
            ])
        } else if let program = find("adduser") {
            // Busybox.
            if let program = find("addgroup") { run([program, "-S", group]) }
            run([program, "-S", "-D", "-H", "-G", group, "-s", "/sbin/nologin", name])
        }
    }

    private static func find(_ name: String) -> String? {
        ["/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"].map { $0 + name }.first { access($0, X_OK) == 0 }
    }

    /// Runs a program to completion and discards its output.
    private static func run(_ arguments: [String]) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor: Int32 in 0...2 {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        // bondd-control has its signals blocked.
        var attributes = posix_spawnattr_t()
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_init(&attributes)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        defer { posix_spawnattr_destroy(&attributes) }
        var list = arguments.map { strdup($0) } + [nil]
        defer { for text in list { free(text) } }
        var process = pid_t()
        guard posix_spawn(&process, arguments[0], &actions, &attributes, &list, environ) == 0 else { return }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    }
}
