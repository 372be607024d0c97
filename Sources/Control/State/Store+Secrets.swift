import ControlProtocol
import GRDB
import Proto
import Settings

// The root secret that the preshared keys of clients follow from.
extension Store {
    /// Two rotations within this time need to be asked for twice: a client has to connect between them, in seconds.
    public static let shortestRotation = 86400

    /// Makes a new generation of the root secret. The one before it stays good, older ones are forgotten.
    /// - Parameters:
    ///   - isForced: whether it may follow on another within a day.
    ///   - now: seconds since 1970.
    /// - Throws: `refused` when it may not, or what keeps the state from being written.
    public func rotateSecrets(isForced: Bool, now: Int) throws(ControlError) {
        try write { db in
            // The generation that came with the state is always old enough: there is none before it to lose.
            let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM secrets") ?? 0
            let last = try Int.fetchOne(db, sql: "SELECT max(made_at) FROM secrets") ?? 0
            guard isForced || count < RootSecrets.generations || now - last >= Self.shortestRotation else {
                throw ControlError.refused(
                    "the secrets were rotated less than a day ago, and clients that have not connected since would have to join again; wait, or say --force"
                )
            }
            try Self.addSecret(now: now, db)
            try Self.bumpRevision(db)
        }
    }

    /// The generations that are good.
    static func secrets(_ db: Database) throws -> [HandedSecret] {
        try Row.fetchAll(
            db, sql: "SELECT generation, secret FROM secrets ORDER BY generation DESC LIMIT ?",
            arguments: [RootSecrets.generations]
        ).map { HandedSecret(generation: $0[0], secret: $0[1]) }
    }

    /// Adds a generation, and forgets those that are no good any more. Its number is the time, so that a state that was put back
    /// from a backup gives no number twice.
    static func addSecret(now: Int, _ db: Database) throws {
        var entropy = Entropy(seed: Sodium.systemSeed())
        let last = try Int.fetchOne(db, sql: "SELECT max(generation) FROM secrets") ?? 0
        let generation = UInt32(clamping: max(last + 1, now))
        try db.execute(
            sql: "INSERT INTO secrets VALUES (?, ?, ?)",
            arguments: [Int(generation), RootSecret.makeBase64(&entropy), now])
        try forgetOldSecrets(db)
    }

    /// Takes over the generations of another state, as far as they are among the newest.
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
