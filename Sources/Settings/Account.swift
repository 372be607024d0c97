import Glibc

/// A user of this host.
package struct Account: Equatable, Sendable {
    /// The name of the user that bondd-control runs as unless told otherwise.
    package static let control = "bondd-control"

    /// The login name.
    package let name: String
    /// The user ID.
    package let user: UInt32
    /// The ID of the primary group.
    package let group: UInt32

    /// A user with these IDs.
    package init(name: String, user: UInt32, group: UInt32) {
        self.name = name
        self.user = user
        self.group = group
    }

    /// Looks up a user by name or ID; nil if there is none. Queries the sources in nsswitch.conf, which may block.
    package init?(named name: String) {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16384)
        let code =
            UInt32(name).map { getpwuid_r($0, &entry, &buffer, buffer.count, &found) }
            ?? getpwnam_r(name, &entry, &buffer, buffer.count, &found)
        guard code == 0, found != nil else { return nil }
        self.init(name: name, user: entry.pw_uid, group: entry.pw_gid)
    }
}
