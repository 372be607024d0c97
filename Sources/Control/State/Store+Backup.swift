import ControlProtocol
import GRDB
import Glibc

extension Store {
    /// The prefix of temporary copies of the state in the state directory.
    static let copyPrefix = "copy-"

    /// Writes a consistent copy of the state into a new file (0600) while others use the state.
    /// - Throws: `refused` if the file exists, `file`, or the error that makes the state unreadable.
    package func backup(to path: String) throws(ControlError) {
        try StateFiles.create(path)
        do {
            // SQLite accepts an empty file; a copy made this way has no free pages and no separate log.
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
    package static func exists(in directory: String) -> Bool { access(directory + "/" + fileName, F_OK) == 0 }

    /// Opens the state in `directory`, which must exist.
    /// - Throws: `unusable` if it does not; otherwise like `init(directory:)`.
    package convenience init(existingIn directory: String) throws(ControlError) {
        let path = directory + "/" + Self.fileName
        guard access(path, F_OK) == 0 else { throw .unusable(path: path, String(cString: strerror(errno))) }
        try self.init(directory: directory)
    }

    /// A path for a temporary copy.
    package static func newCopy(in directory: String) -> String {
        "\(directory)/\(copyPrefix)\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    }

    /// Copies a backup, which must be a regular file, not a symbolic link, into a new file (0600).
    /// - Throws: `refused` if that exists, or `file`.
    package static func copy(_ backup: String, to path: String) throws(ControlError) {
        try StateFiles.copy(backup, to: path, follows: false)
    }

    /// Removes temporary copies that a killed process has left in the state directory.
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

    /// Replaces the state in `directory` by a backup and keeps it as `state.sqlite.before-restore`. The caller
    /// holds the directory's `StateLock`.
    /// - Parameters:
    ///   - now: the Unix time in seconds.
    ///   - isRead: called once the backup has been read, which only its owner may be able to.
    /// - Returns: the names of clients that are active again, having been revoked since the backup was made.
    /// - Throws: `damaged` or `newer` if the backup is; `file`. The state is then unchanged.
    @discardableResult
    package static func restore(
        _ backup: String, into directory: String, now: Int, isRead: () -> Void = {}
    ) throws(ControlError) -> [String] {
        removeCopies(in: directory)
        let new = directory + "/" + copyPrefix + "restore"
        defer { for suffix in ["", "-wal", "-shm"] { unlink(new + suffix) } }
        try StateFiles.copy(backup, to: new, asOwnerOf: directory)
        isRead()
        guard isState(new) else { throw .refused("\(backup) is not a backup of a state; name another file") }
        let path = directory + "/" + fileName
        let (last, revoked, secrets) = close(path, directory)
        var readmitted: [String] = []
        do throws(ControlError) {
            let copy = try Store(path: new, directory: directory)
            // Revisions must only increase, so that bondd's reported revision never matches a state that it
            // does not have.
            try copy.write { db in
                let report = try String.fetchOne(db, sql: "PRAGMA integrity_check(1)") ?? "no report"
                guard report == "ok" else { throw ControlError.damaged(path: backup, report) }
                try db.execute(
                    sql: "UPDATE meta SET value = max(value + 1, ?, ?) WHERE key = 'revision'",
                    arguments: [last + 1, now])
                // Clients that received a newer secret than the backup contains can still connect.
                try mergeSecrets(secrets, now: now, db)
                readmitted = try Self.clients(isRevoked: false, db).filter { revoked[$0.key] != nil }
                    .map(\.value).sorted()
            }
            try copy.close()
        } catch {
            switch error {
            case .damaged(_, let reason):
                throw .refused("\(backup) is an incomplete backup (\(reason)); name another file")
            case .newer:
                throw .refused(
                    "\(backup) was written by a newer bondd-control; update this one or name another file")
            default: throw error
            }
        }
        let old = path + ".before-restore"
        // The old state gets a second name before the new one takes its first, so that there is always one.
        if access(path, F_OK) == 0 {
            unlink(old)
            guard link(path, old) == 0 else { throw .file("keep the old state as", path: old, errno: errno) }
        }
        // Left only if SQLite could not read the old state; they must not be taken for the new state's.
        for suffix in ["-wal", "-shm"] { Glibc.rename(path + suffix, old + suffix) }
        StateFiles.sync(new)
        guard Glibc.rename(new, path) == 0 else { throw .file("replace", path: path, errno: errno) }
        StateFiles.sync(directory)
        return readmitted
    }

    /// The names of clients by public key. A revoked key that an active client uses again does not count as
    /// revoked.
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

    /// Whether a file contains a state, of this version or another.
    private static func isState(_ path: String) -> Bool {
        var configuration = GRDB.Configuration()
        configuration.readonly = true
        guard let queue = try? DatabaseQueue(path: path, configuration: configuration) else { return false }
        defer { try? queue.close() }
        return (try? queue.read { db in try !Schema.migrator.appliedIdentifiers(db).isEmpty }) ?? false
    }

    /// Closes the state that is being replaced, so that all of it is in its file.
    /// - Returns: its revision, 0 if unreadable; the clients revoked in it, by public key; and its secrets.
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

    /// Merges the write-ahead log into the file and closes both.
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
