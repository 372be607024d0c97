import Glibc

/// Replaces a state file on a thread of its own, because a disk may take seconds to sync, and packets must
/// not wait.
package final class StateWriter {
    /// The error of a write; nil if it succeeded.
    package typealias Outcome = RuntimeError?

    private let path: String
    private let mode: mode_t
    private var task: BackgroundTask<Outcome>?

    /// A writer of `path`, with these permissions.
    package init(_ path: String, mode: mode_t = 0o600) {
        self.path = path
        self.mode = mode
    }

    /// Whether a write is running, or its outcome was not taken yet.
    package var isBusy: Bool { task != nil }

    /// Begins to replace the file's contents with `bytes`.
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

    /// Takes the outcome of the last write; nil while it is running, or if there was none.
    /// - Parameter waits: whether to wait for it.
    package func takeOutcome(waits: Bool = false) -> Outcome? {
        if waits { task?.wait() }
        guard let outcome = task?.outcome else { return nil }
        task = nil
        return outcome
    }
}
