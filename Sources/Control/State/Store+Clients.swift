import ControlProtocol
import GRDB
import Settings

extension Store {
    /// The clients of the state and those of the file, each with its usage. bondd reports whether they are
    /// connected.
    package func clients(plan: Plan) throws(ControlError) -> [ClientStatus] {
        try read { db in
            let usage = try Row.fetchAll(
                db, sql: "SELECT public_key, sum(tx_bytes), sum(rx_bytes) FROM usage GROUP BY public_key"
            ).reduce(into: [String: (Int, Int)]()) { $0[$1[0]] = ($1[1], $1[2]) }
            let seen = try Row.fetchAll(db, sql: "SELECT public_key, at FROM sightings")
                .reduce(into: [String: Int]()) { $0[$1[0]] = $1[1] }
            let invited = try Row.fetchAll(
                db,
                sql: """
                    SELECT id, name, public_key, enrolled_at FROM clients WHERE revoked_at IS NULL ORDER BY id
                    """
            ).map { row in
                var client = ClientStatus(
                    name: row[1], publicKey: row[2],
                    addresses: try Self.addresses(of: row[0], plan, db).map(\.description), source: "state",
                    enrolledAt: row[3])
                client.networks = try Self.networks(of: row[0], db)
                return client
            }
            let fixed = plan.clients.map { client in
                var status = ClientStatus(
                    name: client.name, publicKey: Base64.encode(client.publicKey),
                    addresses: client.addresses.map(\.description), source: "file")
                status.networks = client.networks.map(\.description)
                return status
            }
            return (fixed + invited).map { client in
                var client = client
                client.lastSeenAt = seen[client.publicKey]
                (client.sentBytes, client.receivedBytes) = usage[client.publicKey] ?? (0, 0)
                return client
            }
        }
    }

    /// Revokes a client's access, and closes the invitation it used, as it may still have the link. If no
    /// client has that name, an open invitation for it is closed.
    /// - Returns: how many further clients could have used that invitation, which they no longer can.
    /// - Throws: `refused` if there is neither, or the client is the file's; or the error that keeps the state
    ///   from being written.
    @discardableResult
    package func revoke(_ name: String, plan: Plan, now: Int) throws(ControlError) -> Int {
        try Self.checkSource(name, plan, to: "revoke")
        return try write { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT id, invitation FROM clients WHERE name = ? AND revoked_at IS NULL",
                arguments: [name])
            let invitation: Int? =
                try row.map { $0[1] } ?? OpenInvitation.named(name, now: now, db)
            guard let invitation else {
                throw ControlError.refused("there is no client \"\(name)\"; bondd clients lists them")
            }
            if let row {
                let id: Int64 = row[0]
                try db.execute(sql: "UPDATE clients SET revoked_at = ? WHERE id = ?", arguments: [now, id])
            }
            return try Self.close(invitation, now: now, db, countsUses: row != nil)
        }
    }

    /// Revokes the access of the clients with these public keys, like `revoke`.
    /// - Returns: their names.
    func revoke(keys: [String], now: Int) throws(ControlError) -> [String] {
        try write { db in
            var names: [String] = []
            for key in keys {
                let row = try Row.fetchOne(
                    db,
                    sql:
                        "SELECT id, name, invitation FROM clients WHERE public_key = ? AND revoked_at IS NULL",
                    arguments: [key])
                guard let row else { continue }
                let id: Int64 = row[0]
                try db.execute(sql: "UPDATE clients SET revoked_at = ? WHERE id = ?", arguments: [now, id])
                _ = try Self.close(row[2], now: now, db, countsUses: false)
                names.append(row[1])
            }
            return names
        }
    }

    /// Closes an invitation.
    /// - Returns: how many further clients could have used it, or 0 unless it `countsUses`.
    private static func close(
        _ invitation: Int, now: Int, _ db: Database, countsUses: Bool
    ) throws -> Int {
        let left = try Int.fetchOne(
            db,
            sql: "SELECT uses - used FROM invitations WHERE id = ? AND \(OpenInvitation.condition)",
            arguments: [invitation, now])
        try db.execute(
            sql: "UPDATE invitations SET revoked_at = ? WHERE id = ? AND \(OpenInvitation.condition)",
            arguments: [now, invitation, now])
        try bumpRevision(db)
        return countsUses ? left ?? 0 : 0
    }

    /// Renames a client.
    /// - Throws: `refused` if there is no such client, or the name is not permitted; or the error that keeps
    ///   the state from being
    package func rename(_ name: String, to other: String, plan: Plan, now: Int) throws(ControlError) {
        try Name.check(other)
        try Self.checkSource(name, plan, to: "rename")
        try write { db in
            let id = try Int64.fetchOne(
                db, sql: "SELECT id FROM clients WHERE name = ? AND revoked_at IS NULL", arguments: [name])
            guard let id else {
                throw ControlError.refused("there is no client \"\(name)\"; bondd clients lists them")
            }
            if name == other { return }
            try Name.checkFree(other, plan, now: now, db)
            try db.execute(sql: "UPDATE clients SET name = ? WHERE id = ?", arguments: [other, id])
            try Self.bumpRevision(db)
        }
    }

    private static func checkSource(_ name: String, _ plan: Plan, to action: String) throws(ControlError) {
        if plan.client(named: name) != nil {
            throw .refused(
                "the client \"\(name)\" is in \(plan.file), which alone can \(action) it; edit it, then: systemctl reload bondd"
            )
        }
    }
}
