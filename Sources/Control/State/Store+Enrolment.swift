import ControlProtocol
import GRDB
import Packet
import Proto
import Settings

extension Store {
    /// Turns the holder of an invitation into a client, or returns why not. A client that repeats its request
    /// because it never received the answer gets the same result, and no second use is consumed.
    /// - Returns: the outcome, on disk; `unavailable` if the host's clock cannot tell whether the invitation
    ///   has expired.
    /// - Throws: the error that keeps the state from being written; nothing has changed then.
    package func enrol(_ enrolment: Enrolment, plan: Plan, now: Int) throws(ControlError) -> EnrolOutcome {
        guard Base64.decode(enrolment.publicKey)?.count == KeyFile.keyLength else {
            throw .refused("an enrolment brought no public key; update bondd")
        }
        return try write { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT * FROM invitations WHERE id = ?", arguments: [enrolment.invitation])
            // Removed 30 days after its end.
            guard let row else { return .expired }
            let isRevoked: Bool? = try Bool.fetchOne(
                db,
                sql: """
                    SELECT clients.revoked_at IS NOT NULL FROM enrolments JOIN clients ON clients.id = client
                    WHERE enrolments.invitation = ? AND enrolments.public_key = ?
                    """, arguments: [enrolment.invitation, enrolment.publicKey])
            if let isRevoked { return isRevoked ? .revoked : .stored }
            if row["revoked_at"] != nil { return .revoked }
            if now >= row["expires_at"] { return HostClock.mayBeUnset ? .unavailable : .expired }
            let used: Int = row["used"]
            let uses: Int = row["uses"]
            if used >= uses { return .used }
            // It is already a client through another invitation or the file, which satisfies the request.
            if try plan.hasClient(withKey: enrolment.publicKey) || Self.hasClient(enrolment.publicKey, db) {
                return .stored
            }
            let taken = try Self.takenAddresses(db)
            var places: [IPAddress] = []
            for network in plan.networks {
                let place = try Self.place(in: network, plan, taken, besides: places, db)
                guard let place else { return .full }
                places.append(place)
            }
            try Self.add(enrolment, row, places, plan, now: now, db)
            try db.execute(
                sql: "UPDATE invitations SET used = used + 1, used_up_at = ? WHERE id = ?",
                arguments: [used + 1 == uses ? now : nil, enrolment.invitation])
            try Self.bumpRevision(db)
            return .stored
        }
    }

    private static func hasClient(_ key: String, _ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM clients WHERE public_key = ? AND revoked_at IS NULL)",
            arguments: [key]) ?? false
    }

    private static func add(
        _ enrolment: Enrolment, _ invitation: Row, _ addresses: [IPAddress], _ plan: Plan, now: Int,
        _ db: Database
    ) throws {
        let mode: String? = invitation["mode"]
        try db.execute(
            sql: """
                INSERT INTO clients (name, public_key, mode, invitation, enrolled_at) VALUES (?, ?, ?, ?, ?)
                """,
            arguments: [
                try Name.firstFree(invitation["name"], plan, db), enrolment.publicKey, mode,
                enrolment.invitation, now,
            ])
        let client = db.lastInsertedRowID
        for address in addresses { try give(address, to: client, db) }
        try db.execute(
            sql: "INSERT INTO enrolments VALUES (?, ?, ?)",
            arguments: [enrolment.invitation, enrolment.publicKey, client])
    }
}
