import GRDB
import Proto

/// Names of clients, restricted to characters safe on a command line, in a metric's label and in the
/// configuration.
enum Name {
    static let longest = Label.longest

    /// Applies the configuration's rule for names.
    static func check(_ name: String) throws(ControlError) {
        guard Label.isGood(name.utf8), !name.hasPrefix("-") else {
            throw .refused(
                "\"\(name.prefix(longest))\" is not a name; use at most \(longest) letters, digits, '-', '_' and '.'"
            )
        }
    }

    /// `name`, or the first of `name-2`, `name-3` … that is not in use by a client.
    static func firstFree(_ name: String, _ plan: Plan, _ db: Database) throws -> String {
        var taken = Set(plan.clients.map(\.name))
        taken.formUnion(try String.fetchAll(db, sql: "SELECT name FROM clients WHERE revoked_at IS NULL"))
        var candidate = name
        var number = 1
        while taken.contains(candidate) {
            number += 1
            candidate = "\(name.prefix(longest - 1 - "\(number)".count))-\(number)"
        }
        return candidate
    }

    /// Checks that no client and no open invitation uses the name.
    static func checkFree(_ name: String, _ plan: Plan, now: Int, _ db: Database) throws {
        if plan.client(named: name) != nil {
            throw ControlError.refused(
                "a client in \(plan.file) is named \"\(name)\"; choose another name")
        }
        let isTaken = try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM clients WHERE name = ? AND revoked_at IS NULL)",
            arguments: [name])
        if isTaken == true {
            throw ControlError.refused(
                "there is a client \"\(name)\"; choose another name, or first: bondd clients revoke \(name)")
        }
        if try OpenInvitation.named(name, now: now, db) != nil {
            throw ControlError.refused(
                "there is an open invitation for \"\(name)\"; choose another name, or first: bondd clients revoke \(name)"
            )
        }
    }
}
