import ControlProtocol
import GRDB
import Proto
import Settings

extension Store {
    /// How long an invitation may be open, in seconds: a minute to a year.
    static let lifetimes = 60...31_536_000
    /// How many clients may enrol with one invitation.
    static let useCounts = 1...1000
    /// How long bondd knows of an invitation that is over, to tell those who still come why they may not: 30 days.
    public static let memory = 30 * 86400
    /// The same where nothing keeps the host's clock right: a year.
    static let longMemory = 365 * 86400

    /// Makes an invitation for a server whose key and endpoints are in the state where the order does not say them.
    /// - Throws: `refused` when they are nowhere, and as the other.
    public func invite(_ order: InvitationOrder, plan: Plan, server: PublicKey?) throws(ControlError)
        -> JoinLink
    {
        try Name.check(order.name)
        var server = server
        if server == nil { server = try serverKey().flatMap { PublicKey(base64: $0) } }
        guard let server else {
            throw .refused(
                "the server's public key is not known yet; start bondd, which tells it, or give --public-key")
        }
        let now = currentTime()
        guard now >= HostClock.earliest, try latestTime() - 86400 <= now else {
            throw .refused(
                "this host's clock is behind what it has seen, so that no invitation can have an end; set the clock first"
            )
        }
        return try invite(
            order, plan: plan, server: server,
            endpoints: endpoints(for: order, named: plan.endpoints, listen: plan.listen),
            now: now)
    }

    /// Makes an invitation and returns its link. Of the link's secret only what bondd must know is kept.
    /// - Parameters:
    ///   - server: the server's public key.
    ///   - endpoints: where clients reach it; 1 to 8.
    ///   - now: seconds since 1970.
    /// - Throws: `refused` when name, lifetime, uses or mode can't be; or what keeps the state from being written.
    public func invite(
        _ order: InvitationOrder, plan: Plan, server: PublicKey, endpoints: [HostPort], now: Int
    ) throws(ControlError) -> JoinLink {
        try Name.check(order.name)
        guard Self.lifetimes.contains(order.lifetime) else {
            throw .refused("an invitation lasts from a minute to a year; \(order.lifetime) s is out of that")
        }
        guard Self.useCounts.contains(order.uses) else {
            throw .refused("an invitation is for 1 to 1000 clients; \(order.uses) is out of that")
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

    /// The invitations by which somebody may still enrol, oldest first.
    public func openInvitations(now: Int) throws(ControlError) -> [InvitationStatus] {
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

    /// The latest moment that the state knows of, in seconds since 1970. A clock behind it is wrong; 0: there is none.
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

    /// Forgets the invitations that have been over for `memory` seconds.
    /// - Returns: whether there were any.
    public func prune(now: Int, memory: Int = Store.memory) throws(ControlError) -> Bool {
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
