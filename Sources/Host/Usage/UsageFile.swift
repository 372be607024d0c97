import Glibc
import Runtime
import Settings

/// The file in which a `UsageLedger` outlives the daemon: a small text, replaced as a whole.
package struct UsageFile: Sendable {
    /// Maximum size of the file in bytes.
    private static let maximumSize = 1 << 16

    /// The file's path.
    package let path: String

    /// The file of the tunnel with that interface; each daemon on a host has its own.
    package init(directory: String, interface: String) {
        path = "\(directory)/\(interface).usage"
    }

    /// Reads the file; nil if it does not exist.
    /// - Throws: `damagedUsage`, after renaming the file to `PATH.bad`.
    package func read() throws(HostError) -> UsageLedger? {
        if access(path, F_OK) != 0 && [ENOENT, ENOTDIR].contains(errno) { return nil }
        guard let text = try? TextFile.read(path, limit: Self.maximumSize), let ledger = UsageLedger(text)
        else {
            rename(path, "\(path).bad")
            throw .damagedUsage(path: path)
        }
        return ledger
    }

    /// Replaces the contents, and returns once they are on disk. Creates the directory if needed.
    /// - Throws: `file`; the old contents are then kept.
    package func write(_ ledger: UsageLedger) throws(HostError) {
        do throws(RuntimeError) {
            try StateFile.replace(path, with: ledger.bytesOfText, mode: 0o644)
        } catch {
            throw .file("write the usage file", path: path, errno: error.code)
        }
    }
}
