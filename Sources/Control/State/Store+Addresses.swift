import GRDB
import Packet
import Settings

// Each address has one row, so no two clients can have it.
extension Store {
    /// All addresses ever assigned, with their last owner.
    static func takenAddresses(_ db: Database) throws -> Set<IPAddress> {
        Set(try String.fetchAll(db, sql: "SELECT address FROM addresses").compactMap { IPAddress($0) })
    }

    /// An address for a new client: a never used one, else that of the client whose access was revoked first.
    /// - Parameter taken: addresses that are assigned or about to be.
    static func place(
        in network: CIDR, _ plan: Plan, _ taken: Set<IPAddress>, besides new: [IPAddress] = [], _ db: Database
    ) throws -> IPAddress? {
        if let address = plan.firstFree(in: network, besides: taken.union(new)) { return address }
        return try String.fetchAll(
            db,
            sql: """
                SELECT address FROM addresses JOIN clients ON clients.id = client
                WHERE revoked_at IS NOT NULL ORDER BY revoked_at, clients.id
                """
        ).lazy.compactMap { IPAddress($0) }.first { plan.allows($0, in: network) && !new.contains($0) }
    }

    static func give(_ address: IPAddress, to client: Int64, _ db: Database) throws {
        // Only addresses of revoked clients may change hands.
        try db.execute(
            sql: """
                DELETE FROM addresses WHERE address = ?
                AND client IN (SELECT id FROM clients WHERE revoked_at IS NOT NULL)
                """, arguments: ["\(address)"])
        try db.execute(
            sql: """
                INSERT INTO addresses (address, client, number)
                VALUES (?, ?, (SELECT ifnull(max(number), 0) + 1 FROM addresses))
                """, arguments: ["\(address)", client])
    }

    /// Makes the state agree with the configuration after it has changed: every client has one address in each
    /// network, and no address or name that the file uses itself. Whatever agrees stays unchanged. Addresses in
    /// removed networks stay the client's without being used, so that it has them again if the networks come
    /// back.
    /// - Returns: the changes made and those that were impossible, one sentence each, for the log.
    package func reconcile(with plan: Plan) throws(ControlError) -> [String] {
        try write { db in
            var sentences: [String] = []
            let clients = try Row.fetchAll(
                db, sql: "SELECT id, name FROM clients WHERE revoked_at IS NULL ORDER BY id")
            for row in clients {
                let (id, name): (Int64, String) = (row[0], row[1])
                if plan.client(named: name) != nil {
                    let other = try Name.firstFree(name, plan, db)
                    try db.execute(sql: "UPDATE clients SET name = ? WHERE id = ?", arguments: [other, id])
                    sentences.append("\(plan.file) has a client \(name) now; the invited one is \(other)")
                }
                sentences += try readdress(id, name, plan, db)
            }
            if !sentences.isEmpty { try Self.bumpRevision(db) }
            return sentences
        }
    }

    private func readdress(_ client: Int64, _ name: String, _ plan: Plan, _ db: Database) throws -> [String] {
        let all = try Self.allAddresses(of: client, db)
        var sentences: [String] = []
        for address in all where plan.reserved.contains(address) {
            try db.execute(sql: "DELETE FROM addresses WHERE address = ?", arguments: ["\(address)"])
            sentences.append("\(name) loses \(address), because \(plan.file) uses it otherwise")
        }
        for network in Self.choose(from: all, plan).missing {
            if let address = try Self.place(in: network, plan, Self.takenAddresses(db), db) {
                try Self.give(address, to: client, db)
                sentences.append("\(name) gets \(address), because \(plan.file) has changed")
            } else if !all.isEmpty {
                sentences.append("\(name) has no address in \(network.network), which is full")
            }
        }
        return sentences
    }

    /// The address that a client has in each of the plan's networks, IPv4 first.
    static func addresses(of client: Int64, _ plan: Plan, _ db: Database) throws -> [IPAddress] {
        let chosen = choose(from: try allAddresses(of: client, db), plan).addresses
        return chosen.filter { $0.family == .v4 } + chosen.filter { $0.family == .v6 }
    }

    /// All addresses of a client, the earliest first, including those in removed networks.
    private static func allAddresses(of client: Int64, _ db: Database) throws -> [IPAddress] {
        try String.fetchAll(
            db, sql: "SELECT address FROM addresses WHERE client = ? ORDER BY number, address",
            arguments: [client]
        ).compactMap { IPAddress($0) }
    }

    /// The first address in each network, each used once, and the networks without any.
    private static func choose(
        from all: [IPAddress], _ plan: Plan
    ) -> (addresses: [IPAddress], missing: [CIDR]) {
        var rest = all
        var missing: [CIDR] = []
        let addresses = plan.networks.compactMap { network -> IPAddress? in
            guard let index = rest.firstIndex(where: { plan.allows($0, in: network) }) else {
                missing.append(network)
                return nil
            }
            return rest.remove(at: index)
        }
        return (addresses, missing)
    }
}
