import Glibc

/// A user of this host.
public struct Account: Equatable, Sendable {
    /// The name of the user that bondd-control runs as unless told otherwise.
    public static let control = "bondd-control"

    /// Its name.
    public let name: String
    /// Its number.
    public let user: UInt32
    /// The number of its primary group.
    public let group: UInt32

    /// A user with these numbers.
    public init(name: String, user: UInt32, group: UInt32) {
        self.name = name
        self.user = user
        self.group = group
    }

    /// The user of that name; nil when there is none. Asks what nsswitch.conf names, which may take its time.
    public init?(named name: String) {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16384)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        self.init(name: name, user: entry.pw_uid, group: entry.pw_gid)
    }
}
