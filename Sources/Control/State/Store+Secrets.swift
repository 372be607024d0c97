import ControlProtocol
import GRDB
import Proto
import Settings

// The root secret from which the preshared keys of clients are derived.
extension Store {
    /// Minimum time between rotations, in seconds, unless forced: each client has to connect between two
    /// rotations.
    package static let shortestRotation = 86400

    /// Creates a new generation of the root secret. The preceding one remains valid, older ones are removed.
    /// - Parameters:
    ///   - isForced: whether it may follow another within a day.
    ///   - now: the Unix time in seconds.
    /// - Throws: `refused` if it is too early, or the error that keeps the state from being written.
    package func rotateSecrets(isForced: Bool, now: Int) throws(ControlError) {
        try write { db in
            // The generation created with the state is always old enough: there is none before it to lose.
            let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM secrets") ?? 0
            let last = try Int.fetchOne(db, sql: "SELECT max(made_at) FROM secrets") ?? 0
            guard isForced || count < RootSecrets.generations || now - last >= Self.shortestRotation else {
                throw ControlError.refused(
                    "the secrets were rotated less than a day ago, and clients that have not connected since would have to join again; wait, or use --force"
                )
            }
            try Self.addSecret(now: now, db)
            try Self.bumpRevision(db)
        }
    }

    /// The valid generations.
    static func secrets(_ db: Database) throws -> [HandedSecret] {
        try Row.fetchAll(
            db, sql: "SELECT generation, secret FROM secrets ORDER BY generation DESC LIMIT ?",
            arguments: [RootSecrets.generations]
        ).map { HandedSecret(generation: $0[0], secret: $0[1]) }
    }

    /// Adds a generation, and removes those no longer valid. Its number is the time, so that a state restored
    /// from a backup never reuses a number.
    static func addSecret(now: Int, _ db: Database) throws {
        var entropy = Entropy(seed: Sodium.systemSeed())
        let last = try Int.fetchOne(db, sql: "SELECT max(generation) FROM secrets") ?? 0
        let generation = UInt32(clamping: max(last + 1, now))
        try db.execute(
            sql: "INSERT INTO secrets VALUES (?, ?, ?)",
            arguments: [Int(generation), RootSecret.makeBase64(&entropy), now])
        try forgetOldSecrets(db)
    }

    /// Adds the generations of another state that are among the newest.
    static func mergeSecrets(_ others: [HandedSecret], now: Int, _ db: Database) throws {
        for other in others {
            try db.execute(
                sql: "INSERT OR REPLACE INTO secrets VALUES (?, ?, ?)",
                arguments: [Int(other.generation), other.secret, now])
        }
        try forgetOldSecrets(db)
    }

    private static func forgetOldSecrets(_ db: Database) throws {
        try db.execute(
            sql: """
                DELETE FROM secrets WHERE generation NOT IN
                (SELECT generation FROM secrets ORDER BY generation DESC LIMIT ?)
                """, arguments: [RootSecrets.generations])
    }
}
