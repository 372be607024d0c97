import GRDB
import Glibc
import Synchronization

/// bondd-control's state in SQLite: clients and their addresses, invitations, usage. Every change is one
/// transaction that is on disk when the call returns, so that a process killed at any moment leaves the state
/// before or after it.
package final class Store: Sendable {
    /// The name of the state's file in its directory.
    package static let fileName = "state.sqlite"

    /// The path of the state's file.
    package let path: String
    let directory: String
    let queue: DatabaseQueue
    private let failures = Atomic<Int>(0)

    /// Opens the state in `directory`, creating it (0600) or migrating it to this version if needed. The caller
    /// holds the directory's `StateLock`.
    /// - Throws: `unusable`, `diskFull`, `damaged` or `newer`.
    package convenience init(directory: String) throws(ControlError) {
        try self.init(path: directory + "/" + Self.fileName, directory: directory)
    }

    init(path: String, directory: String) throws(ControlError) {
        self.path = path
        self.directory = directory
        if access(path, F_OK) != 0 {
            do throws(ControlError) {
                try StateFiles.create(path, asOwnerOf: directory)
            } catch {
                throw .unusable(path: path, error.description)
            }
        }
        chmod(path, 0o600)
        var configuration = GRDB.Configuration()
        configuration.label = "state"
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            // FULL: with a write-ahead log and a lower setting, the last commits may be lost after a power cut.
            try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        }
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.read { db in
                if try Schema.migrator.hasBeenSuperseded(db) { throw ControlError.newer(path: path) }
                let report = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? "no report"
                guard report == "ok" else { throw ControlError.damaged(path: path, report) }
            }
            try Self.keepOld(queue, path, directory)
            try Schema.migrator.migrate(queue)
        } catch {
            throw Self.explain(error, path)
        }
    }

    /// Keeps a copy of an earlier version's state before migrating it, as `state.sqlite.before-…`: a migration
    /// cannot be undone otherwise.
    private static func keepOld(_ queue: DatabaseQueue, _ path: String, _ directory: String) throws {
        let next = try queue.read { db -> String? in
            let applied = try Schema.migrator.appliedIdentifiers(db)
            return applied.isEmpty ? nil : Schema.migrator.migrations.first { !applied.contains($0) }
        }
        // A temporary copy still has its original.
        guard let next, !path.contains(copyPrefix) else { return }
        let copy = "\(path).before-\(next)"
        unlink(copy)
        try StateFiles.create(copy, asOwnerOf: directory)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "VACUUM INTO ?", arguments: [copy])
        }
        StateFiles.sync(copy)
    }

    /// Writes that failed since the start.
    package var writeFailures: Int { failures.load(ordering: .relaxed) }

    func read<Value>(_ body: (Database) throws -> Value) throws(ControlError) -> Value {
        do { return try queue.read(body) } catch { throw Self.explain(error, path) }
    }

    /// Runs one transaction: everything `body` does, or nothing if it throws.
    func write<Value>(_ body: (Database) throws -> Value) throws(ControlError) -> Value {
        do {
            return try queue.write(body)
        } catch {
            let reason = Self.explain(error, path)
            if case .refused = reason {} else { failures.add(1, ordering: .relaxed) }
            throw reason
        }
    }

    /// Translates a SQLite error for the user.
    static func explain(_ error: any Error, _ path: String) -> ControlError {
        switch error {
        case let error as ControlError: return error
        case let error as DatabaseError:
            let message = error.message ?? "SQLite error \(error.resultCode.rawValue)"
            switch error.resultCode {
            case .SQLITE_FULL: return .diskFull(path: path)
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: return .damaged(path: path, message)
            default: return .unusable(path: path, message)
            }
        default: return .unusable(path: path, "\(error)")
        }
    }

    // MARK: Common to all changes

    /// Counts a change that bondd must receive.
    static func bumpRevision(_ db: Database) throws {
        try db.execute(sql: "UPDATE meta SET value = value + 1 WHERE key = 'revision'")
    }

    static func value(_ key: String, _ db: Database) throws -> String? {
        try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
    }

    static func setValue(_ value: String, _ key: String, _ db: Database) throws {
        try db.execute(
            sql: "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            arguments: [key, value])
    }
}
