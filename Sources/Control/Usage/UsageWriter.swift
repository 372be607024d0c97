import Glibc
import Synchronization

/// Writes the usage file on a thread of its own, as a disk may take seconds to sync and packets don't wait for it.
public final class UsageWriter {
    /// What became of a write: nil when all went well.
    public typealias Outcome = ControlError?

    private final class Job: Sendable {
        let file: UsageFile
        let ledger: UsageLedger
        let outcome = Mutex<Outcome?>(nil)

        init(_ file: UsageFile, _ ledger: UsageLedger) {
            self.file = file
            self.ledger = ledger
        }

        func work() {
            do throws(ControlError) {
                try file.write(ledger)
                outcome.withLock { $0 = .some(nil) }
            } catch {
                outcome.withLock { $0 = .some(error) }
            }
        }
    }

    private let file: UsageFile
    private var job: Job?
    private var thread: pthread_t?

    /// A writer of `file`.
    public init(_ file: UsageFile) { self.file = file }

    /// Whether a write is under way, or its outcome was not taken yet.
    public var isBusy: Bool { job != nil }

    /// Begins to write.
    /// - Precondition: not busy.
    public func begin(_ ledger: UsageLedger) {
        precondition(!isBusy)
        let job = Job(file, ledger)
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
