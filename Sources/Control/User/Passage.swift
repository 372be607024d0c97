import CLinux
import Glibc
import Settings

/// Gives one user access to a file or directory below directories that are closed to others, by an entry in
/// each access control list (acl(5)) that grants search permission only to this user.
package enum Passage {
    /// Lets the user search `directory` and every directory above it.
    /// - Throws: `refused` if the file system does not support access control lists.
    package static func open(_ directory: String, for account: Account) throws(ControlError) {
        guard let real = realpath(directory, nil) else {
            throw .file("find", path: directory, errno: errno)
        }
        defer { free(real) }
        let path = String(cString: real)
        var place = ""
        try grant(AccessList.search, on: "/", account)
        for part in path.split(separator: "/") {
            place += "/" + part
            try grant(AccessList.search, on: place, account)
        }
    }

    /// Lets the user read a file, or connect to a socket.
    package static func open(file: String, for account: Account, mayWrite: Bool) throws(ControlError) {
        try grant(AccessList.read | (mayWrite ? AccessList.write : 0), on: file, account)
    }

    private static func grant(_ rights: UInt16, on path: String, _ account: Account) throws(ControlError) {
        let file = Glibc.open(path, Int32(0o10000000) | O_CLOEXEC)  // O_PATH
        guard file >= 0 else { return }
        defer { close(file) }
        var facts = stat()
        guard fstat(file, &facts) == 0 else { return }
        var list = AccessList(of: file, mode: facts.st_mode)
        if list.rights(of: account, owner: facts.st_uid, group: facts.st_gid) & rights == rights { return }
        list.grant(rights, to: account.user)
        let bytes = list.bytes
        let code = clinux_set_attribute(file, AccessList.attribute, bytes, bytes.count)
        guard code == 0 else {
            throw .refused(
                "the user \(account.name) cannot reach \(path) and cannot be given access (\(String(cString: strerror(-code)))); use paths it can reach, such as the default ones"
            )
        }
    }
}
