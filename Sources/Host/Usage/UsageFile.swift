import Glibc
import Runtime
import Settings

/// Where a `UsageLedger` outlives the daemon: a small text file, replaced as a whole.
public struct UsageFile: Sendable {
    /// The largest file that is read, in bytes.
    private static let maximumSize = 1 << 16

    /// Where it is.
    public let path: String

    /// The file of the tunnel with that interface: two daemons on one host don't share one.
    public init(directory: String, interface: String) {
        path = "\(directory)/\(interface).usage"
    }

    /// What it holds; nil when there is none.
    /// - Throws: `damagedUsage`; the file is set aside then, as `PATH.bad`.
    public func read() throws(HostError) -> UsageLedger? {
        if access(path, F_OK) != 0 && [ENOENT, ENOTDIR].contains(errno) { return nil }
        guard let text = try? TextFile.read(path, limit: Self.maximumSize), let ledger = UsageLedger(text)
        else {
            rename(path, "\(path).bad")
            throw .damagedUsage(path: path)
        }
        return ledger
    }

    /// Replaces what it holds, and returns when that is on the disk. Makes the directory if need be.
    /// - Throws: `file`; what was there stays then.
    public func write(_ ledger: UsageLedger) throws(HostError) {
        do throws(RuntimeError) {
            try StateFile.replace(path, with: ledger.bytesOfText, mode: 0o644)
        } catch {
            throw .file("write the usage file", path: path, errno: error.code)
        }
    }
}
