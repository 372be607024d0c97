import Glibc
import Synchronization

/// Replaces a state file on a thread of its own, as a disk may take seconds to sync and packets don't wait for it.
public final class StateWriter {
    /// What became of a write: nil when all went well.
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

    /// A writer of `path`, with these permissions.
    public init(_ path: String, mode: mode_t = 0o600) {
        self.path = path
        self.mode = mode
    }

    /// Whether a write is under way, or its outcome was not taken yet.
    public var isBusy: Bool { job != nil }

    /// Begins to write `bytes` in place of what is there.
    /// - Precondition: not busy.
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

    /// What became of the write that was begun; nil as long as that is not known.
    /// - Parameter waits: whether to wait for it.
    public func takeOutcome(waits: Bool = false) -> Outcome? {
        guard let job else { return nil }
        if !waits && job.outcome.withLock({ $0 == nil }) { return nil }
        if let thread { pthread_join(thread, nil) }
        (self.job, thread) = (nil, nil)
        return job.outcome.withLock { $0 }
    }
}
