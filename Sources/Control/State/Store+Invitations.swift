import ControlProtocol
import GRDB
import Proto
import Settings

extension Store {
    /// Permitted lifetimes of an invitation in seconds: a minute to a year.
    static let lifetimes = 60...31_536_000
    /// Permitted numbers of clients that may enrol with one invitation.
    static let useCounts = 1...1000
    /// How long bondd knows an expired invitation, in seconds, to tell late clients why they are refused: 30 days.
    package static let memory = 30 * 86400
    /// The same where nothing synchronizes the host's clock: a year.
    static let longMemory = 365 * 86400

    /// Creates an invitation. The server's key and endpoints come from the state unless the order gives them.
    /// - Throws: `refused` if they are unknown, and like the other `invite`.
    package func invite(_ order: InvitationOrder, plan: Plan, server: PublicKey?) throws(ControlError)
        -> JoinLink
    {
        try Name.check(order.name)
        var server = server
        if server == nil { server = try serverKey().flatMap { PublicKey(base64: $0) } }
        guard let server else {
            throw .refused(
                "the server's public key is not known yet; start bondd, which reports it, or give --public-key"
            )
        }
        let now = currentTime()
        guard now >= HostClock.earliest, try latestTime() - 86400 <= now else {
            throw .refused(
                "this host's clock is behind times stored in the state, so an invitation could not expire; set the clock first"
            )
        }
        return try invite(
            order, plan: plan, server: server,
            endpoints: endpoints(for: order, named: plan.endpoints, listen: plan.listen),
            now: now)
    }

    /// Creates an invitation and returns its link. Of the link's secret only the part bondd needs is kept.
    /// - Parameters:
    ///   - server: the server's public key.
    ///   - endpoints: where clients reach it; 1 to 8.
    ///   - now: the Unix time in seconds.
    /// - Throws: `refused` if the name, lifetime, uses or mode is not permitted; or the error that keeps the
    ///   state from being written.
    package func invite(
        _ order: InvitationOrder, plan: Plan, server: PublicKey, endpoints: [HostPort], now: Int
    ) throws(ControlError) -> JoinLink {
        try Name.check(order.name)
        guard Self.lifetimes.contains(order.lifetime) else {
            throw .refused("\(order.lifetime) s is not a lifetime of an invitation; use a minute to a year")
        }
        guard Self.useCounts.contains(order.uses) else {
            throw .refused("\(order.uses) is not a number of uses; an invitation is for 1 to 1000 clients")
        }
        if let mode = order.mode, Mode(word: mode) == nil {
            throw .refused(
                "\"\(mode.prefix(40))\" is not a mode; use \(Mode.listed)")
        }
        var entropy = Entropy(seed: Sodium.systemSeed())
        let secret = InvitationKeys.makeSecret(&entropy)
        let keys = InvitationKeys(secret: secret, server: server)
        let publicKey = keys.privateKey.publicKey.base64
        let presharedKey = keys.presharedKey.base64
        try write { db in
            try Name.checkFree(order.name, plan, now: now, db)
            try db.execute(
                sql: """
                    INSERT INTO invitations (name, public_key, preshared_key, mode, made_at, expires_at, uses)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    order.name, publicKey, presharedKey, order.mode, now, now + order.lifetime, order.uses,
                ])
            try Self.bumpRevision(db)
        }
        return JoinLink(
            expiry: UInt64(now + order.lifetime), server: server, secret: secret, endpoints: endpoints)
    }

    /// The invitations that can still be used to enrol, oldest first.
    package func openInvitations(now: Int) throws(ControlError) -> [InvitationStatus] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT name, uses - used, expires_at FROM invitations
                    WHERE \(OpenInvitation.condition) ORDER BY id
                    """, arguments: [now]
            ).map { InvitationStatus(name: $0[0], usesLeft: $0[1], expiresAt: $0[2]) }
        }
    }

    /// The latest time in the state, in Unix seconds; 0 if there is none. A clock behind it is wrong.
    func latestTime() throws(ControlError) -> Int {
        try read { db in
            try Int.fetchOne(
                db,
                sql: """
                    SELECT max(ifnull((SELECT max(made_at) FROM invitations), 0),
                        ifnull((SELECT max(enrolled_at) FROM clients), 0))
                    """) ?? 0
        }
    }

    /// Removes the invitations that ended at least `memory` seconds ago.
    /// - Returns: whether there were any.
    package func prune(now: Int, memory: Int = Store.memory) throws(ControlError) -> Bool {
        let condition = "min(expires_at, ifnull(used_up_at, expires_at), ifnull(revoked_at, expires_at)) < ?"
        let limit = now - memory
        let count = try read { db in
            try Int.fetchOne(
                db, sql: "SELECT count(*) FROM invitations WHERE \(condition)", arguments: [limit])
        }
        guard count ?? 0 > 0 else { return false }
        try write { db in
            try db.execute(sql: "DELETE FROM invitations WHERE \(condition)", arguments: [limit])
            try Self.bumpRevision(db)
        }
        return true
    }
}

/// Invitations that can still be used to enrol.
enum OpenInvitation {
    static let condition = "revoked_at IS NULL AND used < uses AND expires_at > ?"

    static func named(_ name: String, now: Int, _ db: Database) throws -> Int? {
        try Int.fetchOne(
            db, sql: "SELECT id FROM invitations WHERE name = ? AND \(condition)", arguments: [name, now])
    }
}
