import Glibc
import Packet
import Settings

/// /etc/resolv.conf while it lists bondd's name servers. The original is kept in the state directory until it
/// is restored; if another program rewrites the file in the meantime, that version stays.
struct ResolverFile {
    /// The path, `/etc/resolv.conf` except in tests.
    let path: String
    /// Where the original is kept.
    let backup: String

    private static let limit = 1 << 20

    private static let beginning = "# bondd has set these for the tunnel "

    /// The text of the file for these servers.
    static func text(_ servers: [IPAddress], interface: String) -> String {
        "\(beginning)\(interface); what was here comes back when it ends.\n"
            + servers.map { "nameserver \($0)\n" }.joined()
    }

    /// Replaces the file with `text`: in place of a symbolic link, or through it if /etc is not writable.
    func replace(with text: String) throws(HostError) {
        // If bondd's text is already there, a second backup would overwrite the original.
        if access(backup, F_OK) == 0 { try restore() }
        let content = try? TextFile.read(path, limit: Self.limit)
        if let other = content.flatMap(Self.owner), if_nametoindex(other) != 0 {
            throw .nameServers("the bondd of \(other) has set them in \(path); give dns = [] to this one")
        }
        if let target = linkTarget() {
            try keep("link \(target)\n", beside: text)
            if swap(text, mode: 0o644) { return }
        }
        guard let content else {
            guard access(path, F_OK) != 0 else { throw .file("read", path: path, errno: EINVAL) }
            try keep("none\n", beside: text)
            return try put(text, mode: 0o644)
        }
        var facts = stat()
        stat(path, &facts)
        try keep("file \(facts.st_mode & 0o777)\n\(content)", beside: text)
        try put(text, mode: 0o644)
    }

    /// Restores the original if bondd's text is still in place. Does nothing without a backup.
    func restore() throws(HostError) {
        guard let kept = try? TextFile.read(backup, limit: 3 * Self.limit) else { return }
        let (line, rest) = Self.cut(kept)
        let bytes = Array(rest.utf8)
        guard let length = Int(line), (0...bytes.count).contains(length) else {
            throw .file("make sense of", path: backup, errno: EINVAL)
        }
        let ours = String(decoding: bytes[..<length], as: UTF8.self)
        let (kind, was) = Self.cut(String(decoding: bytes[length...], as: UTF8.self))
        let words = kind.split(separator: " ", maxSplits: 1).map(String.init)
        let present = try? TextFile.read(path, limit: Self.limit)
        // A partial text of either kind is left by a crash during the write.
        if let present, present == ours || ours.hasPrefix(present) || was.hasPrefix(present) {
            switch (words.first, words.last) {
            case ("link", let target?): if linkTarget() == nil { try putLink(to: target) }
            case ("file", let mode?): try put(was, mode: mode_t(mode) ?? 0o644)
            default: unlink(path)
            }
        }
        unlink(backup)
    }

    /// The original text without the servers of the tunnel over `interface`; nil if it cannot be determined.
    func original(interface: String) -> String? {
        guard let present = try? TextFile.read(path, limit: Self.limit) else { return nil }
        guard Self.owner(of: present) == interface else { return present }
        guard let kept = try? TextFile.read(backup, limit: 3 * Self.limit) else { return nil }
        let (line, rest) = Self.cut(kept)
        let bytes = Array(rest.utf8)
        guard let length = Int(line), (0...bytes.count).contains(length) else { return nil }
        let (kind, was) = Self.cut(String(decoding: bytes[length...], as: UTF8.self))
        guard kind.hasPrefix("link ") else { return was }
        let target = String(kind.dropFirst("link ".count))
        guard !target.hasPrefix("/"), let slash = path.lastIndex(of: "/") else {
            return try? TextFile.read(target, limit: Self.limit)
        }
        return try? TextFile.read(String(path[...slash]) + target, limit: Self.limit)
    }

    /// The interface of the tunnel whose bondd wrote this text; nil if none did.
    private static func owner(of text: String) -> String? {
        guard text.hasPrefix(beginning) else { return nil }
        return String(text.dropFirst(beginning.count).prefix { $0 != ";" })
    }

    /// Keeps the original, and the text that replaces it, in order to recognize that later.
    private func keep(_ was: String, beside text: String) throws(HostError) {
        do throws(SettingsError) {
            try StateFile.replace(backup, with: Array("\(text.utf8.count)\n\(text)\(was)".utf8))
        } catch {
            throw .file("write", path: backup, errno: error.code)
        }
    }

    /// The first line and the text after it.
    private static func cut(_ text: String) -> (line: String, rest: String) {
        guard let end = text.utf8.firstIndex(of: 10) else { return (text, "") }
        return (String(text[..<end]), String(text[text.utf8.index(after: end)...]))
    }

    private func linkTarget() -> String? {
        var target = [UInt8](repeating: 0, count: 4096)
        let count = target.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
        return count > 0 ? String(decoding: target[..<count], as: UTF8.self) : nil
    }

    private func putLink(to target: String) throws(HostError) {
        let new = "\(path).bondd"
        unlink(new)
        guard symlink(target, new) == 0, rename(new, path) == 0 else {
            let code = errno
            unlink(new)
            throw .file("restore the link", path: path, errno: code)
        }
    }

    /// Replaces the file. A file that is a mount point, as in containers, or in a directory where bondd may not
    /// create files, is overwritten in place.
    private func put(_ text: String, mode: mode_t) throws(HostError) {
        if linkTarget() == nil && swap(text, mode: mode) { return }
        let old = (try? TextFile.read(path, limit: Self.limit)) ?? ""
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw .file("write", path: path, errno: errno) }
        defer { close(file) }
        guard Self.overwrite(file, text) else {
            let code = errno == 0 ? ENOSPC : errno
            _ = Self.overwrite(file, old)
            throw .file("write", path: path, errno: code)
        }
    }

    /// Overwrites the contents and truncates only afterwards, so that a full disk or a crash leaves something
    /// behind.
    private static func overwrite(_ file: Int32, _ text: String) -> Bool {
        errno = 0
        return pwrite(file, text, text.utf8.count, 0) == text.utf8.count
            && ftruncate(file, text.utf8.count) == 0
            && fsync(file) == 0
    }

    /// Puts a new file in place of the old file or symbolic link.
    private func swap(_ text: String, mode: mode_t) -> Bool {
        (try? StateFile.replace(path, with: Array(text.utf8), mode: mode)) != nil
    }
}

extension SettingsError {
    /// The errno from the kernel.
    fileprivate var code: Int32 { if case .file(_, _, let code) = self { code } else { EIO } }
}
