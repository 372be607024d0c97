import Glibc
import Packet
import Settings

/// /etc/resolv.conf while bondd's name servers stand in it. What was there is kept in the state directory until it is back;
/// when somebody else has written the file meanwhile, theirs stays.
struct ResolverFile {
    /// The file, `/etc/resolv.conf` but in tests.
    let path: String
    /// Where what was there is kept.
    let backup: String

    private static let limit = 1 << 20

    /// What the file says for these servers.
    static func text(_ servers: [IPAddress], interface: String) -> String {
        "# bondd has set these for the tunnel \(interface); what was here comes back when it ends.\n"
            + servers.map { "nameserver \($0)\n" }.joined()
    }

    /// Puts `text` in place of what is there.
    func replace(with text: String) throws(ControlError) {
        // Of a text that is ours already, another backup would hide the first.
        if access(backup, F_OK) == 0 { try restore() }
        var was: String?
        if let target = linkTarget() {
            was = "link \(target)\n"
        } else if access(path, F_OK) == 0 {
            guard let old = try? TextFile.read(path, limit: Self.limit) else {
                throw .file("read", path: path, errno: EINVAL)
            }
            var facts = stat()
            stat(path, &facts)
            was = "file \(facts.st_mode & 0o777)\n\(old)"
        }
        let length = text.utf8.count
        try write(backup, "\(length)\n\(text)\(was ?? "none\n")", mode: 0o600)
        try put(text, mode: 0o644)
    }

    /// Puts back what was there, if bondd's text still is. Nothing to do without a backup.
    func restore() throws(ControlError) {
        guard let kept = try? TextFile.read(backup, limit: 2 * Self.limit) else { return }
        let (line, rest) = Self.cut(kept)
        let bytes = Array(rest.utf8)
        guard let length = Int(line), (0...bytes.count).contains(length) else {
            throw .file("make sense of", path: backup, errno: EINVAL)
        }
        let ours = String(decoding: bytes[..<length], as: UTF8.self)
        let (kind, was) = Self.cut(String(decoding: bytes[length...], as: UTF8.self))
        if linkTarget() == nil, (try? TextFile.read(path, limit: Self.limit)) == ours {
            let words = kind.split(separator: " ", maxSplits: 1).map(String.init)
            switch (words.first, words.last) {
            case ("link", let target?): try putLink(to: target)
            case ("file", let mode?): try put(was, mode: mode_t(mode) ?? 0o644)
            default: unlink(path)
            }
        }
        unlink(backup)
    }

    /// The first line and what follows it.
    private static func cut(_ text: String) -> (line: String, rest: String) {
        guard let end = text.utf8.firstIndex(of: 10) else { return (text, "") }
        return (String(text[..<end]), String(text[text.utf8.index(after: end)...]))
    }

    private func linkTarget() -> String? {
        var target = [UInt8](repeating: 0, count: 4096)
        let count = target.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
        return count > 0 ? String(decoding: target[..<count], as: UTF8.self) : nil
    }

    private func putLink(to target: String) throws(ControlError) {
        let new = "\(path).bondd"
        unlink(new)
        guard symlink(target, new) == 0, rename(new, path) == 0 else {
            let code = errno
            unlink(new)
            throw .file("restore the link", path: path, errno: code)
        }
    }

    /// Replaces the file; one that something is mounted on, as in containers, is written over.
    private func put(_ text: String, mode: mode_t) throws(ControlError) {
        do throws(SettingsError) {
            try StateFile.replace(path, with: Array(text.utf8), mode: mode)
        } catch {
            let file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW)
            guard file >= 0 else { throw .file("write", path: path, errno: errno) }
            defer { close(file) }
            guard Glibc.write(file, text, text.utf8.count) == text.utf8.count else {
                throw .file("write", path: path, errno: errno)
            }
        }
    }

    private func write(_ path: String, _ text: String, mode: mode_t) throws(ControlError) {
        do throws(SettingsError) {
            try StateFile.replace(path, with: Array(text.utf8), mode: mode)
        } catch {
            guard case .file(let action, let path, let code) = error else { return }
            throw .file(action, path: path, errno: code)
        }
    }
}
