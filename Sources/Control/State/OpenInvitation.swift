import GRDB

/// Invitations that can still be used to enrol.
enum OpenInvitation {
    static let condition = "revoked_at IS NULL AND used < uses AND expires_at > ?"

    static func named(_ name: String, now: Int, _ db: Database) throws -> Int? {
        try Int.fetchOne(
            db, sql: "SELECT id FROM invitations WHERE name = ? AND \(condition)", arguments: [name, now])
    }
}
