import ControlProtocol
import GRDB
import Glibc

extension Store {
    /// Copies of the state that are on their way somewhere begin with it, in the state's directory.
    static let copyPrefix = "copy-"

    /// Writes a copy of the state into a new file (0600), as it is at one moment, while others go on.
    /// - Throws: `refused` when the file exists, `file`, or what keeps the state from being read.
    public func backup(to path: String) throws(ControlError) {
        try StateFiles.create(path)
        do {
            // SQLite takes an empty file; a copy that way has no free pages and no log beside it.
            try queue.writeWithoutTransaction { db in
                try db.execute(sql: "VACUUM INTO ?", arguments: [path])
            }
        } catch {
            unlink(path)
            throw Self.explain(error, path)
        }
        StateFiles.sync(path)
        StateFiles.sync(path.lastIndex(of: "/").map { String(path[...$0]) } ?? ".")
    }

    /// Whether there is a state in `directory`.
    public static func exists(in directory: String) -> Bool { access(directory + "/" + fileName, F_OK) == 0 }

    /// The state in `directory`, which must be there.
    /// - Throws: `unusable` when it is not; else as `init(directory:)`.
    public convenience init(existingIn directory: String) throws(ControlError) {
        let path = directory + "/" + Self.fileName
        guard access(path, F_OK) == 0 else { throw .unusable(path: path, String(cString: strerror(errno))) }
        try self.init(directory: directory)
    }

    /// A path for a copy that is on its way somewhere else.
    public static func newCopy(in directory: String) -> String {
        "\(directory)/\(copyPrefix)\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    }

    /// Copies a backup, which must be a file and no link, into a new file (0600).
    /// - Throws: `refused` when that exists, or `file`.
    public static func copy(_ backup: String, to path: String) throws(ControlError) {
        try StateFiles.copy(backup, to: path, follows: false)
    }

    /// Removes copies that a killed process has left in the state's directory.
    static func removeCopies(in directory: String) {
        guard let list = opendir(directory) else { return }
        defer { closedir(list) }
        while let entry = readdir(list) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(copyPrefix) { unlink(directory + "/" + name) }
        }
    }

    /// Puts a backup in place of the state in `directory`, which stays beside it as `state.sqlite.before-restore`. Who calls has
    /// the directory's `StateLock`.
    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - isRead: called when the backup was read, which only its owner may be able to.
    /// - Returns: the names of clients that are clients again, having been revoked since the backup was made.
    /// - Throws: `damaged` or `newer` when the backup is; `file`. The state is as it was then.
    @discardableResult
    public static func restore(
        _ backup: String, into directory: String, now: Int, isRead: () -> Void = {}
    ) throws(ControlError) -> [String] {
        removeCopies(in: directory)
        let new = directory + "/" + copyPrefix + "restore"
        defer { for suffix in ["", "-wal", "-shm"] { unlink(new + suffix) } }
        try StateFiles.copy(backup, to: new, asOwnerOf: directory)
        isRead()
        guard isState(new) else { throw .refused("\(backup) is no backup of a state; name another") }
        let path = directory + "/" + fileName
        let (last, revoked, secrets) = close(path, directory)
        var readmitted: [String] = []
        do throws(ControlError) {
            let copy = try Store(path: new, directory: directory)
            // Revisions only grow, so that what bondd says that it has is never taken for what it does not have yet.
            try copy.write { db in
                let report = try String.fetchOne(db, sql: "PRAGMA integrity_check(1)") ?? "no report"
                guard report == "ok" else { throw ControlError.damaged(path: backup, report) }
                try db.execute(
                    sql: "UPDATE meta SET value = max(value + 1, ?, ?) WHERE key = 'revision'",
                    arguments: [last + 1, now])
                // Clients that were given a newer key than the backup knows can still connect.
                try mergeSecrets(secrets, now: now, db)
                readmitted = try Self.clients(isRevoked: false, db).filter { revoked[$0.key] != nil }
                    .map(\.value).sorted()
            }
            try copy.close()
        } catch {
            switch error {
            case .damaged(_, let reason):
                throw .refused("\(backup) is no whole backup (\(reason)); name another")
            case .newer:
                throw .refused("\(backup) is of a newer bondd-control; update this one or name another")
            default: throw error
            }
        }
        let old = path + ".before-restore"
        // The old state has a second name before the new one takes its first, so that there is always one.
        if access(path, F_OK) == 0 {
            unlink(old)
            guard link(path, old) == 0 else { throw .file("keep the old state as", path: old, errno: errno) }
        }
        // Still there only when SQLite could make no sense of it; it must not be taken for the new state's.
        for suffix in ["-wal", "-shm"] { Glibc.rename(path + suffix, old + suffix) }
        StateFiles.sync(new)
        guard Glibc.rename(new, path) == 0 else { throw .file("replace", path: path, errno: errno) }
        StateFiles.sync(directory)
        return readmitted
    }

    /// The names of clients by public key. A key that was revoked and is a client's again is not revoked.
    private static func clients(isRevoked: Bool, _ db: Database) throws -> [String: String] {
        try Row.fetchAll(
            db,
            sql: isRevoked
                ? """
                SELECT public_key, name FROM clients WHERE revoked_at IS NOT NULL AND public_key NOT IN
                (SELECT public_key FROM clients WHERE revoked_at IS NULL)
                """ : "SELECT public_key, name FROM clients WHERE revoked_at IS NULL"
        ).reduce(into: [:]) { $0[$1[0]] = $1[1] }
    }

    /// Whether there is a state in a file, of this version or another.
    private static func isState(_ path: String) -> Bool {
        var configuration = GRDB.Configuration()
        configuration.readonly = true
        guard let queue = try? DatabaseQueue(path: path, configuration: configuration) else { return false }
        defer { try? queue.close() }
        return (try? queue.read { db in try !Schema.migrator.appliedIdentifiers(db).isEmpty }) ?? false
    }

    /// Closes the state that goes, so that all of it is in its file.
    /// - Returns: its revision, 0 when it has none that can be read, the clients that were revoked in it, by public key, and its
    ///   secrets.
    private static func close(
        _ path: String, _ directory: String
    ) -> (Int, [String: String], [HandedSecret]) {
        guard access(path, F_OK) == 0, let old = try? Store(path: path, directory: directory) else {
            return (0, [:], [])
        }
        let revision = try? old.read { db in
            try Int.fetchOne(db, sql: "SELECT value FROM meta WHERE key = 'revision'")
        }
        let revoked = try? old.read { db in try clients(isRevoked: true, db) }
        let secrets = try? old.read(Self.secrets)
        try? old.close()
        return (revision ?? 0, revoked ?? [:], secrets ?? [])
    }

    /// Folds the log into the file and closes both.
    private func close() throws(ControlError) {
        do {
            try queue.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            }
            try queue.close()
        } catch {
            throw Self.explain(error, path)
        }
    }
}
