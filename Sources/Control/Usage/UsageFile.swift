import Glibc

/// Where a `UsageLedger` outlives the daemon: a small text file, replaced as a whole.
public struct UsageFile: Sendable {
    /// The largest file that is read, in bytes.
    private static let maximumSize = 1 << 16

    /// Where it is.
    public let path: String
    private let directory: String

    /// The file of the tunnel with that interface: two daemons on one host don't share one.
    public init(directory: String, interface: String) {
        self.directory = directory
        path = "\(directory)/\(interface).usage"
    }

    /// What it holds; nil when there is none.
    /// - Throws: `damagedUsage`; the file is set aside then, as `PATH.bad`.
    public func read() throws(ControlError) -> UsageLedger? {
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
    public func write(_ ledger: UsageLedger) throws(ControlError) {
        mkdir(directory, 0o755)
        let new = "\(path).new"
        let file = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard file >= 0 else { throw failure }
        let text = Array(ledger.text.utf8)
        errno = 0
        guard Glibc.write(file, text, text.count) == text.count, fsync(file) == 0, rename(new, path) == 0
        else {
            if errno == 0 { errno = ENOSPC }
            let failure = failure
            close(file)
            unlink(new)
            throw failure
        }
        close(file)
        let parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if parent >= 0 {
            fsync(parent)
            close(parent)
        }
    }

    private var failure: ControlError { .file("write the usage file", path: path, errno: errno) }
}
