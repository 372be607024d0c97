import ControlProtocol
import GRDB
import Packet
import Settings

// Each network has one row, so no two clients can have it.
extension Store {
    /// Routes networks to a client, replacing its previous ones. None may overlap another client's or the
    /// tunnel's.
    /// - Throws: `refused` if there is no such client, or a network cannot be routed to it; or the error that
    ///   keeps the state from being written.
    package func setNetworks(
        _ texts: [String], of name: String, plan: Plan
    ) throws(ControlError) {
        if plan.client(named: name) != nil {
            throw .refused(
                "the client \"\(name)\" is in \(plan.file); set its networks there, then run: systemctl reload bondd"
            )
        }
        try write { db in
            let id = try Int64.fetchOne(
                db, sql: "SELECT id FROM clients WHERE name = ? AND revoked_at IS NULL", arguments: [name])
            guard let id else {
                throw ControlError.refused("there is no client \"\(name)\"; bondd clients lists them")
            }
            let others = try Self.networks(of: plan, besides: id, db)
            var networks: [CIDR] = []
            for text in texts {
                do throws(ClientNetworks.Refusal) {
                    networks.append(
                        try ClientNetworks.check(
                            text, after: networks, tunnel: plan.networks, others: others))
                } catch {
                    throw ControlError.refused("\"\(text)\" \(error.problem)")
                }
            }
            try db.execute(sql: "DELETE FROM networks WHERE client = ?", arguments: [id])
            for network in networks {
                // A revoked client may have had it.
                try db.execute(
                    sql: "INSERT OR REPLACE INTO networks (network, client) VALUES (?, ?)",
                    arguments: ["\(network)", id])
            }
            try Self.bumpRevision(db)
        }
    }

    /// A client's networks in the state, sorted by their text.
    static func networks(of client: Int64, _ db: Database) throws -> [String] {
        try String.fetchAll(
            db, sql: "SELECT network FROM networks WHERE client = ? ORDER BY network", arguments: [client])
    }

    /// The networks of all other clients that may connect, including the file's, each with its client's name.
    private static func networks(
        of plan: Plan, besides client: Int64, _ db: Database
    ) throws -> [(CIDR, String)] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT network, name FROM networks JOIN clients ON clients.id = client
                WHERE revoked_at IS NULL AND client != ?
                """, arguments: [client])
        return plan.clients.flatMap { known in known.networks.map { ($0, known.name) } }
            + rows.compactMap { row in CIDR(row[0] as String).map { ($0, row[1] as String) } }
    }
}
