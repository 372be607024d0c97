import CLinux
import Commands
import Gateway
import Glibc
import Messages
import Settings

/// What root does for bondd-control before it is root no longer, where no service manager has started it as its own user.
struct Privileges {
    let account: Account
    /// The configuration's file, which stays root's and has to be readable.
    let config: String
    let socket: String
    let stateDirectory: String

    /// - Parameter name: the user to become; nil: the usual one, which is made when it is not there.
    /// - Throws: `Failure` when there is no such user, or it is root.
    init(user name: String?, config: String, socket: String, stateDirectory: String) throws {
        if let name {
            guard let account = Account(named: name) else {
                throw Failure("there is no user \(name); name another with --user, or say --as-root")
            }
            guard account.user != 0 else {
                throw Failure("the user \(name) is root; name another with --user, or say --as-root")
            }
            self.account = account
        } else {
            account = try ControlAccount.make()
        }
        (self.config, self.socket, self.stateDirectory) = (config, socket, stateDirectory)
    }

    /// Makes what the user needs its own: the state's directory with what is in it, the directory of its socket, and ways to both
    /// and to the configuration.
    func prepare(needsState: Bool) throws {
        let own = GatewayPath.own(of: socket)
        let control = String(own[..<own.lastIndex(of: "/")!])
        try give(control, mode: 0o750)
        GatewayPath.makeAlias(of: socket)
        if needsState {
            try give(stateDirectory, mode: 0o700)
            try giveFiles()
        }
        for place in [control, needsState ? stateDirectory : control, parent(of: config)] {
            try Passage.open(place, for: account)
        }
        try Passage.open(file: config, for: account, mayWrite: false)
        // bondd's, if it was started before there was this user. Later it sees to that itself.
        if access(socket, F_OK) == 0 { try Passage.open(file: socket, for: account, mayWrite: true) }
    }

    /// Becomes the user, for good.
    func drop() throws {
        var limit = rlimit()
        // As many connections as the unit allows; whoever starts it may not.
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < Self.files {
            limit.rlim_max = max(limit.rlim_max, Self.files)
            limit.rlim_cur = Self.files
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        let code = clinux_become(account.user, account.group)
        guard code == 0 else {
            throw Failure(
                "could not become the user \(account.name) (\(String(cString: strerror(-code)))); start bondd-control as that user, or say --as-root"
            )
        }
        for path in [config] where access(path, R_OK) != 0 {
            throw Failure(
                "the user \(account.name) may not read \(path) (\(String(cString: strerror(errno)))); make it readable for it"
            )
        }
    }

    /// As in the unit.
    private static let files: rlim_t = 524_288

    /// Makes a directory, and gives it to the user.
    private func give(_ directory: String, mode: mode_t) throws {
        if let slash = directory.lastIndex(of: "/"), slash != directory.startIndex {
            mkdir(String(directory[..<slash]), 0o755)
        }
        mkdir(directory, mode)
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw GatewayError.file("open", path: directory, errno: errno) }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { return }
        if facts.st_uid == account.user { return }
        // Root's alone, of an earlier start: another user's is not to be taken.
        guard facts.st_uid == 0 else {
            throw Failure(
                "\(directory) belongs to user \(facts.st_uid) and not to \(account.name); name another, or that user with --user"
            )
        }
        guard fchown(descriptor, account.user, account.group) == 0, fchmod(descriptor, mode) == 0 else {
            throw GatewayError.file("give \(account.name) the directory", path: directory, errno: errno)
        }
    }

    /// Gives the user the files in the state's directory that a bondd-control that was root has made.
    private func giveFiles() throws {
        guard let list = opendir(stateDirectory) else { return }
        defer { closedir(list) }
        let directory = dirfd(list)
        while let entry = readdir(list) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard file >= 0 else { continue }
            defer { close(file) }
            var facts = stat()
            // With one name alone: it may be a link to somebody else's otherwise.
            guard fstat(file, &facts) == 0, facts.st_uid == 0, facts.st_mode & S_IFMT == S_IFREG,
                facts.st_nlink == 1
            else { continue }
            fchown(file, account.user, account.group)
        }
    }

    private func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }
}
