import Glibc
import Synchronization

/// Replaces a state file on its own thread, as a disk may take seconds to sync and packets must not wait for it.
public final class StateWriter {
    /// The result of a write: nil if it succeeded.
    public typealias Outcome = SettingsError?

    private final class Job: Sendable {
        let path: String
        let mode: mode_t
        let bytes: [UInt8]
        let outcome = Mutex<Outcome?>(nil)

        init(_ path: String, _ mode: mode_t, _ bytes: [UInt8]) {
            self.path = path
            self.mode = mode
            self.bytes = bytes
        }

        func work() {
            do throws(SettingsError) {
                try StateFile.replace(path, with: bytes, mode: mode)
                outcome.withLock { $0 = .some(nil) }
            } catch {
                outcome.withLock { $0 = .some(error) }
            }
        }
    }

    private let path: String
    private let mode: mode_t
    private var job: Job?
    private var thread: pthread_t?

    /// Creates a writer for `path` with permissions `mode`.
    public init(_ path: String, mode: mode_t = 0o600) {
        self.path = path
        self.mode = mode
    }

    /// Whether a write is in progress, or its outcome has not been taken yet.
    public var isBusy: Bool { job != nil }

    /// Starts replacing the file's contents with `bytes`.
    /// - Precondition: `isBusy` is false.
    public func begin(_ bytes: [UInt8]) {
        precondition(!isBusy)
        let job = Job(path, mode, bytes)
        self.job = job
        let held = Unmanaged.passRetained(job)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { held in
                Unmanaged<Job>.fromOpaque(held!).takeRetainedValue().work()
                return nil
            }, held.toOpaque())
        if code == 0 {
            self.thread = thread
        } else {
            held.release()
            job.work()
        }
    }

    /// The result of the last write, once; nil while it is in progress or if there was none.
    /// - Parameter waits: whether to block until the write ends.
    public func takeOutcome(waits: Bool = false) -> Outcome? {
        guard let job else { return nil }
        if !waits && job.outcome.withLock({ $0 == nil }) { return nil }
        if let thread { pthread_join(thread, nil) }
        (self.job, thread) = (nil, nil)
        return job.outcome.withLock { $0 }
    }
}
