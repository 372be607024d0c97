import Glibc

/// Replaces a state file on a thread of its own: a disk may take seconds to sync, and packets do not wait for it.
package final class StateWriter {
    /// The error of a write, or nil when it succeeded.
    package typealias Outcome = RuntimeError?

    private let path: String
    private let mode: mode_t
    private var task: BackgroundTask<Outcome>?

    /// A writer of `path`, with these permissions.
    package init(_ path: String, mode: mode_t = 0o600) {
        self.path = path
        self.mode = mode
    }

    /// Whether a write goes on, or its outcome was not taken yet.
    package var isBusy: Bool { task != nil }

    /// Begins to write `bytes` in place of the file's content.
    /// - Precondition: not busy.
    package func begin(_ bytes: [UInt8]) {
        precondition(!isBusy)
        task = BackgroundTask(name: "state file") { [path, mode] () -> Outcome in
            do throws(RuntimeError) {
                try StateFile.replace(path, with: bytes, mode: mode)
                return nil
            } catch {
                return error
            }
        }
    }

    /// The outcome of the write that was begun, once; nil while it goes on, or when none was begun.
    /// - Parameter waits: whether to wait for it.
    package func takeOutcome(waits: Bool = false) -> Outcome? {
        if waits { task?.wait() }
        guard let outcome = task?.outcome else { return nil }
        task = nil
        return outcome
    }
}
