import ControlProtocol
import GRDB

extension Store {
    /// A consistent snapshot of everything bondd must know. Clients that are also in the file are left to the
    /// file.
    package func handover(plan: Plan) throws(ControlError) -> Handover {
        try read { db in
            let clients = try Row.fetchAll(
                db,
                sql: """
                    SELECT id, name, public_key, mode FROM clients WHERE revoked_at IS NULL ORDER BY id
                    """
            ).compactMap { row -> HandedClient? in
                let key: String = row[2]
                if plan.hasClient(withKey: key) { return nil }
                let addresses = try Self.addresses(of: row[0], plan, db).map(\.description)
                if addresses.isEmpty { return nil }
                let networks = try Self.networks(of: row[0], db)
                return HandedClient(
                    name: row[1], publicKey: key, addresses: addresses, mode: row[3],
                    networks: networks.isEmpty ? nil : networks)
            }
            let invitations = try Row.fetchAll(
                db, sql: "SELECT id, public_key, preshared_key FROM invitations ORDER BY id"
            ).map { HandedInvitation(id: $0[0], publicKey: $0[1], presharedKey: $0[2]) }
            return Handover(
                revision: try Int.fetchOne(db, sql: "SELECT value FROM meta WHERE key = 'revision'") ?? 0,
                clients: clients, invitations: invitations, secrets: try Self.secrets(db))
        }
    }
}
