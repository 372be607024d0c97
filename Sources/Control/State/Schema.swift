import GRDB

/// The state's tables, and migrations from earlier versions. Times are Unix times in seconds; keys are
/// 32 bytes in base64; addresses are as `IPAddress` writes them, so that equal ones are equal texts.
enum Schema {
    static let migrator: DatabaseMigrator = {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1", migrate: first)
        migrator.registerMigration("2", migrate: second)
        migrator.registerMigration("address-order", migrate: addressOrder)
        migrator.registerMigration("networks", migrate: networks)
        migrator.registerMigration("secrets", migrate: secrets)
        return migrator
    }()

    private static func first(_ db: Database) throws {
        // Revisions begin at the current time, so that a state created again continues above a lost one.
        // (unixepoch() came with SQLite 3.38.)
        try db.execute(
            sql: """
                CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value NOT NULL) WITHOUT ROWID;
                INSERT INTO meta VALUES ('revision', CAST(strftime('%s', 'now') AS INTEGER));

                CREATE TABLE clients (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    name TEXT NOT NULL,
                    public_key TEXT NOT NULL,
                    mode TEXT,
                    invitation INTEGER NOT NULL,
                    enrolled_at INTEGER NOT NULL,
                    revoked_at INTEGER
                );
                CREATE UNIQUE INDEX clients_name ON clients (name) WHERE revoked_at IS NULL;
                CREATE UNIQUE INDEX clients_public_key ON clients (public_key) WHERE revoked_at IS NULL;

                CREATE TABLE addresses (
                    address TEXT PRIMARY KEY NOT NULL,
                    client INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE
                ) WITHOUT ROWID;
                CREATE INDEX addresses_client ON addresses (client);

                CREATE TABLE invitations (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    name TEXT NOT NULL,
                    public_key TEXT NOT NULL UNIQUE,
                    preshared_key TEXT NOT NULL,
                    mode TEXT,
                    made_at INTEGER NOT NULL,
                    expires_at INTEGER NOT NULL,
                    uses INTEGER NOT NULL,
                    used INTEGER NOT NULL DEFAULT 0,
                    used_up_at INTEGER,
                    revoked_at INTEGER,
                    CHECK (used BETWEEN 0 AND uses)
                );

                CREATE TABLE enrolments (
                    invitation INTEGER NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
                    public_key TEXT NOT NULL,
                    client INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
                    PRIMARY KEY (invitation, public_key)
                ) WITHOUT ROWID;

                CREATE TABLE usage (
                    public_key TEXT NOT NULL,
                    path TEXT NOT NULL,
                    month TEXT NOT NULL,
                    tx_bytes INTEGER NOT NULL,
                    rx_bytes INTEGER NOT NULL,
                    PRIMARY KEY (public_key, path, month)
                ) WITHOUT ROWID;

                -- What bondd's counters were when they were last added to the usage.
                CREATE TABLE counters (
                    public_key TEXT NOT NULL,
                    path TEXT NOT NULL,
                    tx_bytes INTEGER NOT NULL,
                    rx_bytes INTEGER NOT NULL,
                    PRIMARY KEY (public_key, path)
                ) WITHOUT ROWID;

                CREATE TABLE sightings (public_key TEXT PRIMARY KEY NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
                """)
    }

    /// Addresses stay a client's when the tunnel's networks change, and the client's first one is used again
    /// when they come back.
    private static func addressOrder(_ db: Database) throws {
        try db.execute(sql: "ALTER TABLE addresses ADD COLUMN number INTEGER NOT NULL DEFAULT 0")
    }

    /// Rules pushed by a control plane. `plane` identifies it; numbers are 64 bits that SQLite stores with a
    /// sign; rules and limits are JSON.
    private static func second(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE service_rules (
                    plane TEXT NOT NULL,
                    number INTEGER NOT NULL,
                    rule TEXT NOT NULL,
                    PRIMARY KEY (plane, number)
                ) WITHOUT ROWID;

                CREATE TABLE service_limits (
                    plane TEXT NOT NULL,
                    owner TEXT NOT NULL,
                    rate_limit TEXT NOT NULL,
                    PRIMARY KEY (plane, owner)
                ) WITHOUT ROWID;

                CREATE TABLE service_quotas (
                    plane TEXT NOT NULL,
                    owner TEXT NOT NULL,
                    monthly_bytes INTEGER NOT NULL,
                    remaining INTEGER NOT NULL,
                    begins_at INTEGER NOT NULL,
                    ends_at INTEGER NOT NULL,
                    is_exhausted INTEGER NOT NULL,
                    PRIMARY KEY (plane, owner)
                ) WITHOUT ROWID;
                """)
    }

    /// Generations of the root secret, and the first of them.
    private static func secrets(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE secrets (
                    generation INTEGER PRIMARY KEY NOT NULL,
                    secret TEXT NOT NULL,
                    made_at INTEGER NOT NULL
                );
                """)
        try Store.addSecret(now: currentTime(), db)
    }

    /// The networks behind clients, each as `CIDR` writes it.
    private static func networks(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE networks (
                    network TEXT PRIMARY KEY NOT NULL,
                    client INTEGER NOT NULL REFERENCES clients (id) ON DELETE CASCADE
                ) WITHOUT ROWID;
                CREATE INDEX networks_client ON networks (client);
                """)
    }
}
