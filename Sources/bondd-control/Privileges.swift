import CLinux
import Commands
import Control
import ControlProtocol
import Glibc
import Settings

/// Drops root's privileges if no service manager has started bondd-control as its own user.
struct Privileges {
    let account: Account
    /// The configuration file, which stays root's and has to be readable.
    let config: String
    let socket: String
    let stateDirectory: String

    /// - Parameter name: the user to become; nil for the default, which is added if it is missing.
    /// - Throws: `Failure` if there is no such user, or it is root.
    init(user name: String?, config: String, socket: String, stateDirectory: String) throws {
        if let name {
            guard let account = Account(named: name) else {
                throw Failure("there is no user \(name); name another with --user, or use --as-root")
            }
            guard account.user != 0 else {
                throw Failure("the user \(name) is root; name another with --user, or use --as-root")
            }
            self.account = account
        } else {
            account = try ControlAccount.make()
        }
        (self.config, self.socket, self.stateDirectory) = (config, socket, stateDirectory)
    }

    /// Creates the directories of the state and the socket, gives them to the user, and makes them and the
    /// configuration accessible to that user.
    func prepare(needsState: Bool) throws {
        var places = [parent(of: config)]
        if needsState {
            let control = parent(of: ControlServicePath.own(of: socket))
            try give(control, mode: 0o750)
            ControlServicePath.makeAlias(of: socket)
            try give(stateDirectory, mode: 0o700)
            try giveFiles()
            places += [control, stateDirectory]
        }
        if access(parent(of: socket), F_OK) == 0 { places.append(parent(of: socket)) }
        for place in places { try Passage.open(place, for: account) }
        try Passage.open(file: config, for: account, mayWrite: false)
        // bondd grants the user access to its socket, unless it was started before the user existed.
        if access(socket, F_OK) == 0 { try Passage.open(file: socket, for: account, mayWrite: true) }
    }

    /// Becomes the user, irrevocably.
    func drop() throws {
        var limit = rlimit()
        // As many connections as the unit permits.
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < Self.files {
            limit.rlim_max = max(limit.rlim_max, Self.files)
            limit.rlim_cur = Self.files
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        let code = clinux_become(account.user, account.group)
        guard code == 0 else {
            throw Failure(
                "could not become the user \(account.name) (\(String(cString: strerror(-code)))); start bondd-control as that user, or use --as-root"
            )
        }
        for path in [config] where access(path, R_OK) != 0 {
            throw Failure(
                "the user \(account.name) may not read \(path) (\(String(cString: strerror(errno)))); make it readable for that user"
            )
        }
    }

    /// As in the unit.
    private static let files: rlim_t = 524_288

    /// Creates a directory and gives it to the user.
    private func give(_ directory: String, mode: mode_t) throws {
        if let slash = directory.lastIndex(of: "/"), slash != directory.startIndex {
            mkdir(String(directory[..<slash]), 0o755)
        }
        mkdir(directory, mode)
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw ControlError.file("open", path: directory, errno: errno) }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { return }
        if facts.st_uid == account.user { return }
        // Only root's own, from an earlier start: another user's directory is not taken over.
        guard facts.st_uid == 0 else {
            throw Failure(
                "\(directory) belongs to user \(facts.st_uid), not to \(account.name); use another directory, or that user with --user"
            )
        }
        guard fchown(descriptor, account.user, account.group) == 0, fchmod(descriptor, mode) == 0 else {
            throw ControlError.file("give \(account.name) the directory", path: directory, errno: errno)
        }
    }

    /// Gives the user the files left in the state directory by a bondd-control that ran as root.
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
            // A second name may be a hard link to another user's file.
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
